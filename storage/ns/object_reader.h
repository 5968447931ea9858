// The namespace's ObjectReader: one version of an object, with its extents pinned.
#pragma once
#include <optional>

#include "storage/ns/core.h"
#include "storage/ns/sealed_reader.h"

namespace outcrop::ns {

class PinnedReader final : public ObjectReader {
 public:
  PinnedReader(ExtentCache& extents, ObjectPtr object, segment::PinPtr pin, ObjectInfo info);

  const ObjectInfo& info() const override { return x_info; }
  void unseal(const DataKey& key) override;
  void seek(ByteRange range) override;
  Task<std::vector<Buffer>> next() override;

  const Object& object() const { return *x_object; }

 private:
  Task<std::vector<Buffer>> next_sealed();

  ExtentCache& x_extents;
  ObjectPtr x_object;
  segment::PinPtr x_pin;
  ObjectInfo x_info;
  std::unique_ptr<SealedReader> x_sealed;  ///< of a sealed object that was unsealed
  std::uint64_t x_at = 0, x_end = 0;       ///< in the object
  // Of an object that is not sealed:
  std::size_t x_piece = 0;          ///< the piece that holds x_at
  std::uint64_t x_piece_start = 0;  ///< its first byte's position in the object
};

}  // namespace outcrop::ns
