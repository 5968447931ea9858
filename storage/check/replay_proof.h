// What replay asks of the payload, answered without writing: whether a copy of a record verifies.
#pragma once
#include "storage/drives/drive_set.h"
#include "storage/meta/companion.h"

namespace outcrop::check {

/// Takes no payload.
class ReplayProof final : public meta::CommitCompanion {
 public:
  explicit ReplayProof(const drives::DriveSet& drives) : x_drives(drives) {}

  void attach(meta::MetaStore& store) override { x_store = &store; }
  Result<std::vector<io::IoOp>> take_pending(unsigned) override { return std::vector<io::IoOp>(); }
  Task<> finished(unsigned, std::span<io::IoOp>) override { co_return ok(); }
  Task<bool> verify_and_complete(const Extent& extent) override;

 private:
  const drives::DriveSet& x_drives;
  meta::MetaStore* x_store = nullptr;
};

}  // namespace outcrop::check
