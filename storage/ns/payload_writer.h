// The namespace's ObjectWriter: collects a small payload in memory, streams a larger one to the
// blob store, and decides at the end where the payload lives. What is to be sealed is sealed on the
// way, unit by unit, and from then on a payload like any other.
#pragma once
#include <memory>
#include <vector>

#include "storage/ns/core.h"
#include "storage/ns/namespace.h"
#include "storage/ns/record_codec.h"
#include "storage/segment/blob_store.h"

namespace outcrop::ns {

class PayloadWriter final : public ObjectWriter {
 public:
  PayloadWriter(Core& core, const WriteOptions& options);
  ~PayloadWriter() override;

  Task<MutBytes> buffer() override { return x_seal ? unit_buffer() : stored_buffer(); }
  Task<> advance(std::size_t n) override { return x_seal ? unit_advance(n) : stored_advance(n); }
  std::uint64_t size() const override;

  /// invalid_argument unless it is sealed, as this part, if `sealed` says so, and only then.
  Result<void> check(bool sealed, std::uint32_t part) const;

  /// Makes a striped payload durable. A small one stays in memory until place().
  Task<> finish();
  /// The payload, if it is not striped.
  ConstBytes small() const { return {x_buffer.data(), x_buffer ? x_filled : 0}; }
  bool striped() const { return x_blob != nullptr; }
  /// Of a striped payload, after finish(). The segments stay pinned while the writer lives.
  const std::vector<Piece>& pieces() const { return x_pieces; }

 private:
  struct Seal;
  Task<MutBytes> unit_buffer();
  Task<> unit_advance(std::size_t n);
  Task<> seal_unit();
  Task<> store(ConstBytes bytes);
  Task<MutBytes> stored_buffer();
  Task<> stored_advance(std::size_t n);
  Task<> spill();

  Core& x_core;
  segment::BlobStore& x_blobs;
  const std::unique_ptr<Seal> x_seal;  ///< null: the payload is stored as it is
  const std::uint64_t x_size_hint;     ///< of what is stored, as x_size
  std::uint64_t x_size = 0;
  Buffer x_buffer;
  std::size_t x_filled = 0;
  std::unique_ptr<segment::BlobWriter> x_blob;
  std::vector<Piece> x_pieces;
};

/// A payload that is not striped, put where it belongs: in the record, or placed in a segment to
/// reach the drives with the transaction. Nothing may suspend between this and the commit.
struct PlacedPayload {
  std::string inline_data;
  std::vector<Piece> pieces;
  std::vector<Extent> fresh;
  segment::PinPtr pin;  ///< keep until committed
};
Task<PlacedPayload> place_payload(segment::BlobStore& blobs,
                                  const PayloadWriter& writer,
                                  std::size_t inline_max);

}  // namespace outcrop::ns
