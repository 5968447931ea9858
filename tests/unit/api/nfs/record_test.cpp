// Record marking: the records do not depend on how the bytes arrive, and nothing is kept that the
// limits forbid.
#include "api/nfs/record.h"

#include <gtest/gtest.h>

namespace outcrop::nfs {
namespace {

std::string fragment(std::string_view data, bool last = true) {
  XdrWriter out;
  out.u32((last ? 0x8000'0000u : 0u) | static_cast<std::uint32_t>(data.size()));
  out.raw_bytes(data);
  return out.flatten();
}

std::string pattern(std::size_t n, char seed) {
  std::string s(n, '\0');
  for (std::size_t i = 0; i < n; ++i) {
    s[i] = static_cast<char>(seed + i % 251);
  }
  return s;
}

struct Fed {
  std::vector<Buffer> records;
  bool sane = true;
  std::vector<std::string> texts() const {
    std::vector<std::string> out;
    for (const Buffer& b : records) {
      out.emplace_back(as_text(b.view()));
    }
    return out;
  }
};

/// As a session does it: at most `step` bytes a receive.
Fed feed(RecordReader& reader, std::string_view bytes, std::size_t step = SIZE_MAX) {
  Fed fed;
  while (!bytes.empty() && fed.sane) {
    const MutBytes room = reader.room();
    const std::size_t n = std::min({bytes.size(), step, room.size()});
    std::memcpy(room.data(), bytes.data(), n);
    bytes.remove_prefix(n);
    fed.sane = reader.received(n, fed.records);
    while (fed.sane && reader.wanted() > 0) {
      fed.sane = reader.supply(Buffer::make(reader.wanted()), fed.records);
    }
  }
  return fed;
}

Fed feed(std::string_view bytes, std::size_t step = SIZE_MAX) {
  RecordReader reader;
  return feed(reader, bytes, step);
}

TEST(RecordReader, AllRecordsOfAReceive) {
  RecordReader reader;
  const Fed fed = feed(reader, fragment("one") + fragment("two") + fragment("") + fragment("four"));
  EXPECT_TRUE(fed.sane);
  EXPECT_EQ(fed.texts(), (std::vector<std::string>{"one", "two", "", "four"}));
  EXPECT_EQ(fed.records[1].data(), fed.records[0].data() + 7);  // slices of one block
  EXPECT_TRUE(reader.empty());
  reader.release();
}

TEST(RecordReader, AnySplitGivesTheSameRecords) {
  const std::vector<std::string> want = {pattern(100, 'a'),
                                         pattern(70'000, 'b'),
                                         pattern(5, 'c'),
                                         pattern(RecordReader::kBlock - 4, 'd'),
                                         pattern(RecordReader::kBlock - 3, 'e'),
                                         "",
                                         "end"};
  std::string bytes;
  for (const std::string& w : want) {
    bytes += fragment(w);
  }
  for (const std::size_t step : {1ul, 2ul, 3ul, 5ul, 1000ul, 4096ul, 16'384ul, 1ul << 20}) {
    EXPECT_EQ(feed(bytes, step).texts(), want) << step;
  }
}

TEST(RecordReader, ALargeRecordIsReceivedInPlace) {
  RecordReader reader;
  const std::string data = pattern(1 << 20, 'x');
  const std::string bytes = fragment(data);
  // What the block had is copied; then room() is the record's own memory.
  std::vector<Buffer> records;
  const MutBytes block = reader.room();
  ASSERT_EQ(block.size(), RecordReader::kBlock);
  std::memcpy(block.data(), bytes.data(), block.size());
  ASSERT_TRUE(reader.received(block.size(), records));
  ASSERT_EQ(reader.wanted(), data.size());
  EXPECT_FALSE(reader.empty());
  const Buffer memory = Buffer::make(reader.wanted());
  ASSERT_TRUE(reader.supply(memory, records));
  const MutBytes rest = reader.room();
  ASSERT_EQ(rest.size(), data.size() + 4 - block.size());
  EXPECT_EQ(rest.data(), memory.data() + block.size() - 4);
  std::memcpy(rest.data(), bytes.data() + block.size(), rest.size());
  ASSERT_TRUE(reader.received(rest.size(), records));
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].data(), memory.data());
  EXPECT_EQ(as_text(records[0].view()), data);
  // The next one of the stream is only peeked at.
  EXPECT_LE(reader.room().size(), 4096u);
}

TEST(RecordReader, Fragments) {
  const std::string bytes = fragment("abc", false) + fragment("", false) + fragment("defg") +
                            fragment("next") + fragment("", false) + fragment("");
  for (const std::size_t step : {1ul, 3ul, 100ul}) {
    EXPECT_EQ(feed(bytes, step).texts(), (std::vector<std::string>{"abcdefg", "next", ""})) << step;
  }
}

TEST(RecordReader, EmptyFragmentsTakeNoMemory) {
  RecordReader reader;
  std::vector<Buffer> records;
  const std::string bytes = fragment("", false);
  std::memcpy(reader.room().data(), bytes.data(), bytes.size());
  EXPECT_TRUE(reader.received(bytes.size(), records));
  EXPECT_EQ(reader.wanted(), 0u);
  EXPECT_FALSE(reader.empty());
}

TEST(RecordReader, RecordSizeLimit) {
  EXPECT_EQ(feed(fragment(pattern(kMaxRecordBytes, 'a'))).texts().front().size(), kMaxRecordBytes);
  EXPECT_FALSE(feed(fragment(pattern(kMaxRecordBytes + 1, 'a'))).sane);
  const std::string half = pattern(kMaxRecordBytes / 2, 'a');
  EXPECT_TRUE(feed(fragment(half, false) + fragment(half)).sane);
  EXPECT_FALSE(feed(fragment(half, false) + fragment(half, false) + fragment("x")).sane);
}

TEST(RecordReader, ALimitOfOnesOwn) {
  RecordReader exact(100), more(100);
  EXPECT_TRUE(feed(exact, fragment(pattern(100, 'a'))).sane);
  EXPECT_FALSE(feed(more, fragment(pattern(101, 'a'))).sane);
}

TEST(RecordReader, FragmentLimit) {
  std::string most;
  for (std::size_t i = 1; i < kMaxFragments; ++i) {
    most += fragment("x", false);
  }
  EXPECT_EQ(feed(most + fragment("y")).texts().front().size(), kMaxFragments);
  EXPECT_FALSE(feed(most + fragment("x", false) + fragment("y")).sane);
  // The count starts anew with the next record.
  EXPECT_TRUE(feed(most + fragment("y") + most + fragment("y")).sane);
}

TEST(RecordReader, OtherProtocolsAreNotRecords) {
  EXPECT_FALSE(feed("GET / HTTP/1.1\r\nHost: x\r\n\r\n").sane);
  EXPECT_FALSE(feed(std::string("\x16\x03\x01\x02\x00\x01\x00", 7)).sane);  // a TLS hello
}

}  // namespace
}  // namespace outcrop::nfs
