// The bytes of the metadata journal: 4 KiB-aligned commit blocks, each a list of transactions.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "storage/base/bytes.h"
#include "storage/base/ids.h"
#include "storage/base/result.h"
#include "storage/meta/meta_store.h"

namespace outcrop::meta {

/// Global order of transactions; positions ("applied up to") are sequences too. 0: before all.
using Sequence = std::uint64_t;

inline constexpr std::uint16_t kJournalVersion = 1;
inline constexpr std::size_t kBlockHeaderBytes = 88;
inline constexpr std::size_t kMaxKeyBytes = 16 << 10;
inline constexpr std::size_t kMaxMutations = 1 << 20;
inline constexpr std::size_t kMaxFresh = 1 << 16;
inline constexpr std::size_t kMaxTransactions = 1 << 16;
/// Nothing we write is longer: one transaction of kMaxBatchBytes and its framing.
inline constexpr std::size_t kMaxBlockPayload = kMaxBatchBytes + (1 << 20);

/// Says which block this is. All of it is covered by the block's checksum, so a block that lies
/// in the wrong place, file, generation or cluster does not verify or is not accepted.
struct BlockHeader {
  Uuid cluster;
  std::uint32_t worker = 0;
  std::uint32_t payload_bytes = 0;
  std::uint64_t generation = 0;  ///< of the journal file; never reused
  std::uint64_t offset = 0;      ///< in the journal file
  std::uint64_t epoch = 0;
  Sequence previous = 0;  ///< last sequence of this worker's block before; a gap is a lost block
  Sequence last = 0;      ///< sequence of the last transaction in the block
  bool operator==(const BlockHeader&) const = default;

  std::uint64_t block_bytes() const {
    return align_up(kBlockHeaderBytes + payload_bytes, kIoAlign);
  }
};

struct Transaction {
  Sequence sequence = 0;
  Batch batch;
};

/// One transaction as it stands in a payload.
std::string encode_transaction(Sequence sequence, const Batch& batch);
/// Changes the sequence of an encoded transaction.
void set_sequence(std::string& encoded, Sequence sequence);

/// A whole block, padded with zeros to kIoAlign; header.payload_bytes is set from `transactions`.
Buffer encode_block(BlockHeader header, const std::vector<std::string_view>& transactions);

/// Header of the block that starts `in`; checks the fields but not the checksum, so `in` may hold
/// the first kBlockHeaderBytes only. Errors: corrupt.
Result<BlockHeader> peek_block(ConstBytes in);

/// True if `in` starts with a complete block whose checksum is right.
bool block_verifies(ConstBytes in);

/// The transactions of a block that verifies. Errors: corrupt.
Result<std::vector<Transaction>> decode_block(ConstBytes in);

}  // namespace outcrop::meta
