// Record marking (RFC 5531 section 11), the receiving side: bytes of a connection become records.
// Small records are slices of the block they were received into; a large one is received straight
// into memory of its own. Sans-IO.
//
//   recv into room() -> received() -> records; while wanted() > 0: supply() -> records
#pragma once
#include <cstddef>
#include <vector>

#include "api/nfs/rpc.h"
#include "storage/base/bytes.h"

namespace outcrop::nfs {

/// One connection's. After a call that returned false the stream makes no sense: close it.
class RecordReader {
 public:
  /// Receive block: dozens of small calls, one system call.
  static constexpr std::size_t kBlock = 16 << 10;

  explicit RecordReader(std::size_t max_record = kMaxRecordBytes) : x_max(max_record) {}

  /// Where the next bytes of the connection go; not empty. Not while wanted() > 0.
  MutBytes room();
  /// `n` bytes were received into room(); complete records are appended.
  bool received(std::size_t n, std::vector<Buffer>& out);

  /// Bytes of memory that the next record needs before reading can go on; 0: none.
  std::size_t wanted() const { return x_wanted; }
  /// A buffer of wanted() bytes; complete records are appended.
  bool supply(Buffer memory, std::vector<Buffer>& out);

  /// No part of a record is here.
  bool empty() const { return x_begin == x_end && !x_assembling && x_fragments == 0; }
  /// Gives the block back; only when empty().
  void release();

 private:
  bool parse(std::vector<Buffer>& out);
  bool next_fragment(std::vector<Buffer>& out, bool& more);
  void take_fragment();
  void finish(std::vector<Buffer>& out, Buffer record);

  const std::size_t x_max;
  Buffer x_block;
  std::size_t x_begin = 0, x_end = 0;  // bytes of the block that are not records yet
  std::size_t x_need = 0;              // from x_begin: what the next step takes; 0: unknown
  std::size_t x_wanted = 0;
  bool x_after_large = false;

  Buffer x_record;           // memory of the record being assembled
  std::size_t x_filled = 0;  // bytes of it
  std::size_t x_left = 0;    // of the current fragment
  std::size_t x_fragments = 0;
  bool x_assembling = false;  // inside a fragment that goes to x_record
  bool x_last = false;
};

}  // namespace outcrop::nfs
