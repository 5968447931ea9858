// Does operations on a real namespace over the in-memory stores, as several clients of both
// protocols that share it: it keeps what they have open between calls.
#pragma once
#include <array>
#include <memory>

#include "tests/property/cross_op.h"
#include "tests/support/namespace_fixture.h"

namespace outcrop::test {

class CrossDriver : public NamespaceFixture {
 public:
  static constexpr unsigned kSlots = 8;
  static constexpr std::string_view kBucket = "b";

  /// `versioned`: the bucket keeps versions, which must not show.
  CrossDriver(const ns::NamespaceConfig& config, unsigned yield_one_in, bool versioned = false);

  Answer perform(const Op& op);
  /// Both at once; either may come first.
  std::pair<Answer, Answer> perform_pair(const Op& a, const Op& b);

  ns::FileId root;

 private:
  ns::FileSystem& fs() { return ns->files(); }
  Task<> run_op(const Op& op, Answer& out);
  Task<> run_key(const Op& op, Answer& out);
  Task<> run_upload(const Op& op, Answer& out);
  Task<> run_names(const Op& op, Answer& out);
  Task<> run_data(const Op& op, Answer& out);
  Task<> run_attributes(const Op& op, Answer& out);
  Task<> run_open(const Op& op, Answer& out);
  Task<ns::PartInfo> put_part(const Op& op);
  Task<ns::PartInfo> copy_part(const Op& op);
  Task<ReadObject> get(const Op& op);
  Task<ReadObject> read_on(unsigned slot);
  Task<> rename_key(const Op& op, Answer& out);
  Task<> rename(const Op& op, Answer& out);
  /// Versions below a directory that are not current go for good.
  Task<> forget_versions(std::string directory);
  /// Whether some are left that cannot: their paths are too long for keys.
  Task<bool> has_versions_out_of_reach(std::string directory);
  void start_again();

  const ns::NamespaceConfig x_config;
  const bool x_versioned;
  std::array<std::unique_ptr<ns::ObjectReader>, kSlots> x_readers;
  std::array<ns::OpenHoldPtr, kSlots> x_holds;
};

}  // namespace outcrop::test
