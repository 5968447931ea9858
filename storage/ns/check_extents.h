// The last pass of check_tree: the reference records are exactly what inodes and parts use.
// Internal.
#pragma once
#include <string>
#include <string_view>

#include "storage/ns/check_facts.h"

namespace outcrop::ns {

class ExtentMatch {
 public:
  /// `uses`: of note_uses, finished. `visitor` may be null. All borrowed.
  ExtentMatch(meta::MetaStore& meta,
              meta::SnapshotPtr at,
              Pulse& pulse,
              io::ExternalSort& uses,
              ExtentVisitor* visitor,
              TreeReport& report)
      : x_meta(meta),
        x_at(std::move(at)),
        x_pulse(pulse),
        x_uses(uses),
        x_visitor(visitor),
        x_report(report) {}
  Task<> run();

 private:
  Result<bool> next_use();
  void compare(std::string_view value);

  meta::MetaStore& x_meta;
  const meta::SnapshotPtr x_at;
  Pulse& x_pulse;
  io::ExternalSort& x_uses;
  ExtentVisitor* const x_visitor;
  TreeReport& x_report;
  bool x_uses_left = false;  ///< x_uses has a record that is not taken yet
  std::string x_use_key{};   ///< as in the table of references
  Extent x_use{};
  std::uint64_t x_used = 0;
};

}  // namespace outcrop::ns
