// Reads: every byte that leaves was verified, or rebuilt from bytes that were.
#include <bit>

#include "tests/unit/storage/segment/rig.h"

namespace outcrop::segment {
namespace {

std::string read_file(io::SimWorld& world, unsigned drive, const std::string& path) {
  const auto disk = std::move(*world.open_disk(drive));
  const auto file = std::move(*disk->open(path, io::Access::read, io::Cache::buffered));
  std::string out(*file->size(), '\0');
  EXPECT_TRUE(file->read_sync(0, std::as_writable_bytes(std::span(out))));
  return out;
}

void write_file(io::SimWorld& world,
                unsigned drive,
                const std::string& path,
                std::uint64_t offset,
                std::string_view bytes) {
  const auto disk = std::move(*world.open_disk(drive));
  const auto file = std::move(*disk->open(path, io::Access::read_write, io::Cache::buffered));
  ASSERT_TRUE(file->write_sync(offset, as_bytes(bytes)));
  ASSERT_TRUE(file->sync());
}

class Geometry : public ::testing::TestWithParam<std::pair<unsigned, unsigned>> {};

// Every set of at most m shards is damaged, the whole object is read, and pieces of it.
TEST_P(Geometry, EverySubsetOfAtMostMShardsIsRebuilt) {
  const auto [drives, parity] = GetParam();
  io::SimWorld base = formatted_world(drives, parity);
  const std::string content = pattern(1, 1'200'345);
  std::vector<Extent> extents;
  SegmentRecord record;
  {
    Process p(base);
    extents = *p.put_large(content, 1, content.size());
    record = p.record(extents.front().segment);
    ASSERT_TRUE(p.close());
  }
  ASSERT_EQ(extents.size(), 1U);
  for (unsigned set = 0; set < 1U << drives; ++set) {
    const bool readable = static_cast<unsigned>(std::popcount(set)) <= parity;
    if (static_cast<unsigned>(std::popcount(set)) > parity + 1) {
      continue;
    }
    io::SimWorld world = base.clone(set);
    for (unsigned shard = 0; shard < drives; ++shard) {
      if ((set & (1U << shard)) != 0) {
        ASSERT_TRUE(world.corrupt(record.slots[shard], shard_path(record.id, shard), 0,
                                  record.shard_bytes));
      }
    }
    Process p(world);
    const auto whole = p.read(extents);
    if (!readable) {
      ASSERT_FALSE(whole) << "shards " << set << ": more are lost than can be";
      continue;
    }
    ASSERT_TRUE(whole) << set << ": " << whole.error().describe();
    EXPECT_EQ(*whole, content) << set;
    const Extent& e = extents.front();
    EXPECT_EQ(*p.read(e, 0, 1), content.substr(0, 1)) << set;
    EXPECT_EQ(*p.read(e, e.length - 1, 1), content.substr(e.length - 1)) << set;
    EXPECT_EQ(*p.read(e, 261'000, 530'000), content.substr(261'000, 530'000)) << set;
    const unsigned data = (1U << record.k) - 1;  // parity is read only when it is needed
    EXPECT_EQ(p.store->stats().corrupt_chunks.load() > 0, (set & data) != 0) << set;
  }
}

INSTANTIATE_TEST_SUITE_P(Geometries,
                         Geometry,
                         ::testing::Values(std::pair{2U, 1U},
                                           std::pair{3U, 1U},
                                           std::pair{4U, 2U},
                                           std::pair{6U, 2U},
                                           std::pair{6U, 3U}));

TEST(Verify, EverySubsetOfCopiesOfASmallRecord) {
  io::SimWorld base = formatted_world(4, 2);
  const std::string content = pattern(1, 70'001);
  Extent extent;
  SegmentRecord record;
  {
    Process p(base);
    extent = *p.put_small(content, 1);
    record = p.record(extent.segment);
    ASSERT_TRUE(p.close());
  }
  for (unsigned set = 0; set < 8; ++set) {
    io::SimWorld world = base.clone(set);
    for (unsigned shard = 0; shard < 3; ++shard) {
      if ((set & (1U << shard)) != 0) {
        ASSERT_TRUE(world.corrupt(record.slots[shard], shard_path(record.id, shard),
                                  extent.offset + kHeaderBytes + 40'000, 1));
      }
    }
    Process p(world);
    const auto got = p.read(extent, 0, extent.length);
    EXPECT_EQ(got.has_value(), set != 7) << set;
    EXPECT_EQ(got.value_or(""), set != 7 ? content : "") << set;
    if (!got) {
      EXPECT_EQ(got.error().code(), Errc::corrupt);
    }
  }
}

TEST(Verify, ASingleFlippedBitAnywhereInAChunkIsFound) {
  io::SimWorld base = formatted_world(3, 1);
  const std::string content = pattern(1, 6000);
  Extent extent;
  SegmentRecord record;
  {
    Process p(base);
    extent = *p.put_small(content, 1);
    record = p.record(extent.segment);
    ASSERT_TRUE(p.close());
  }
  const std::size_t bytes = kHeaderBytes + content.size();
  for (std::size_t at = 0; at < bytes; at += at < kHeaderBytes ? 1 : 997) {
    io::SimWorld world = base.clone(at);
    for (unsigned shard = 0; shard < record.slots.size(); ++shard) {
      const std::string path = shard_path(record.id, shard);
      std::string byte = read_file(world, record.slots[shard], path).substr(extent.offset + at, 1);
      byte[0] = static_cast<char>(byte[0] ^ (1 << (at % 8)));
      write_file(world, record.slots[shard], path, extent.offset + at, byte);
    }
    Process p(world);
    EXPECT_FALSE(p.read(extent, 0, extent.length)) << "byte " << at;
  }
}

// Each of these chunks has a right checksum of its own and is not the one that was meant.
TEST(Verify, StaleMisdirectedAndForeignChunksAreRefused) {
  io::SimWorld world = formatted_world(3, 1);
  const std::string first = pattern(1, 300'000), second = pattern(2, 300'000);
  std::vector<Extent> one, two;
  SegmentRecord record;
  {
    Process p(world);
    one = *p.put_large(first, 1, first.size());
    two = *p.put_large(second, 2, second.size());
    record = p.record(one.front().segment);
    ASSERT_TRUE(p.close());
  }
  ASSERT_EQ(one.front().segment, two.front().segment);
  const auto path = [&](unsigned shard) { return shard_path(record.id, shard); };
  const auto chunk_of = [&](io::SimWorld& from, unsigned shard, const Extent& e) {
    const StripeShape shape = stripe_shape(record, e, 0);
    return read_file(from, record.slots[shard], path(shard))
        .substr(shape.offset, shape.chunk_bytes);
  };
  const auto expect_rebuilt = [&](io::SimWorld& damaged, const char* what) {
    Process p(damaged);
    EXPECT_EQ(*p.read(one), first) << what;
    EXPECT_GT(p.store->stats().corrupt_chunks.load(), 0U) << what << " went unnoticed";
  };
  {
    io::SimWorld w = world.clone(1);
    write_file(w, record.slots[0], path(0), one.front().offset, chunk_of(w, 0, two.front()));
    expect_rebuilt(w, "a write that belongs elsewhere in the file");
  }
  {
    io::SimWorld w = world.clone(2);
    write_file(w, record.slots[0], path(0), one.front().offset, chunk_of(w, 1, one.front()));
    expect_rebuilt(w, "the chunk of another shard");
  }
  {
    io::SimWorld w = world.clone(3);
    const std::string zeros(chunk_bytes_for(2), '\0');
    write_file(w, record.slots[0], path(0), one.front().offset, zeros);
    expect_rebuilt(w, "a write that never happened");
  }
  for (const char* what : {"cluster", "segment", "stamp"}) {
    io::SimWorld w = world.clone(4);
    std::string chunk = chunk_of(w, 0, one.front());
    const StripeShape shape = stripe_shape(record, one.front(), 0);
    ChunkIdentity id{.cluster = {},
                     .segment = record.id,
                     .offset = shape.offset,
                     .stamp = one.front().stamp,
                     .length = static_cast<std::uint32_t>(shape.chunk_bytes - kHeaderBytes),
                     .kind = ChunkKind::data,
                     .shard = 0};
    {
      Process p(w);
      id.cluster = p.drives->cluster();
      ASSERT_TRUE(check_chunk(id, as_bytes(chunk))) << "the test rebuilds the identity";
      ASSERT_TRUE(p.close());
    }
    if (what == std::string_view("cluster")) {
      id.cluster.bytes[3] ^= 1;
    } else if (what == std::string_view("segment")) {
      id.segment += 1;
    } else {
      id.stamp += 1;
    }
    seal_chunk(id, std::as_writable_bytes(std::span(chunk)));
    write_file(w, record.slots[0], path(0), one.front().offset, chunk);
    expect_rebuilt(w, what);
  }
}

TEST(Verify, AnExtentOutsideItsSegmentIsCorruptAndNotRead) {
  io::SimWorld world = formatted_world(3, 1);
  Process p(world);
  const Extent small = *p.put_small(pattern(1, 9000), 1);
  const Extent large = p.put_large(pattern(2, 300'000), 2, 300'000)->front();
  const auto code = [&p](const Extent& e, std::uint64_t offset, std::uint64_t length) {
    return p.read(e, offset, length).error().code();
  };
  EXPECT_EQ(code(small, 1, 9000), Errc::corrupt);
  EXPECT_EQ(code(large, 300'000, 1), Errc::corrupt);
  EXPECT_EQ(code({small.segment, kTestShardBytes, 100, 0}, 0, 100), Errc::corrupt);
  EXPECT_EQ(code({small.segment, small.offset, kSmallMax + 1, 0}, 0, 1), Errc::corrupt);
  EXPECT_EQ(code({large.segment, large.offset, 1ULL << 40, large.stamp}, 0, 1), Errc::corrupt);
  EXPECT_EQ(code({large.segment + 1000, 0, 1, 0}, 0, 1), Errc::corrupt);
}

}  // namespace
}  // namespace outcrop::segment
