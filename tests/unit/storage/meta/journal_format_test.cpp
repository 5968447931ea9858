#include "storage/meta/journal_format.h"

#include <gtest/gtest.h>

namespace outcrop::meta {
namespace {

Batch sample(unsigned n) {
  Batch b;
  b.put("key" + std::to_string(n), std::string(n * 37 % 500, 'v'));
  b.erase("gone" + std::to_string(n));
  b.fresh.push_back({n, n * 4096ULL, 100, ~std::uint64_t{n}});
  return b;
}

Buffer block_of(unsigned transactions) {
  std::vector<std::string> encoded;
  for (unsigned i = 0; i < transactions; ++i) {
    encoded.push_back(encode_transaction(11 + i, sample(i)));
  }
  BlockHeader h;
  h.cluster.bytes[3] = 9;
  h.worker = 2;
  h.generation = 5;
  h.offset = 8192;
  h.epoch = 3;
  h.previous = 10;
  h.last = 10 + transactions;
  return encode_block(h, {encoded.begin(), encoded.end()});
}

TEST(JournalFormat, RoundTrip) {
  const Buffer block = block_of(20);
  EXPECT_EQ(block.size() % kIoAlign, 0U);
  const auto header = peek_block(block.view());
  ASSERT_TRUE(header);
  EXPECT_EQ(header->worker, 2U);
  EXPECT_EQ(header->block_bytes(), block.size());
  const auto transactions = decode_block(block.view());
  ASSERT_TRUE(transactions);
  ASSERT_EQ(transactions->size(), 20U);
  for (unsigned i = 0; i < 20; ++i) {
    const Transaction& t = (*transactions)[i];
    EXPECT_EQ(t.sequence, 11U + i);
    EXPECT_EQ(t.batch.fresh, sample(i).fresh);
    ASSERT_EQ(t.batch.mutations.size(), 2U);
    EXPECT_EQ(t.batch.mutations[0].value, sample(i).mutations[0].value);
    EXPECT_FALSE(t.batch.mutations[1].value);
  }
}

TEST(JournalFormat, EveryFlippedByteIsSeen) {
  const Buffer block = block_of(4);
  const auto header = peek_block(block.view());
  for (std::size_t i = 0; i < kBlockHeaderBytes + header->payload_bytes; ++i) {
    block.data()[i] ^= std::byte{0x10};
    EXPECT_FALSE(block_verifies(block.view())) << i;
    block.data()[i] ^= std::byte{0x10};
  }
  EXPECT_TRUE(block_verifies(block.view()));
}

TEST(JournalFormat, ShortBlocksAreRefused) {
  const Buffer block = block_of(4);
  const auto header = peek_block(block.view());
  for (std::size_t n = 0; n < kBlockHeaderBytes + header->payload_bytes; n += 7) {
    EXPECT_FALSE(decode_block(block.view().first(n))) << n;
  }
}

TEST(JournalFormat, SequencesThatDoNotFitTheHeaderAreRefused) {
  const std::string t = encode_transaction(99, sample(1));
  BlockHeader h;
  h.previous = 10;
  h.last = 11;
  EXPECT_FALSE(decode_block(encode_block(h, {t}).view()));
}

}  // namespace
}  // namespace outcrop::meta
