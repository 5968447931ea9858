// The ways in which a call on a drive is made to fail, and which of them can happen to which call.
#pragma once
#include <array>
#include <cerrno>

#include "storage/io/faults.h"

namespace outcrop::test {

struct Fault {
  const char* name;
  io::FaultKind kind;
  int error_number = 0;
};

inline constexpr std::array kFaults{
    Fault{"EIO", io::FaultKind::error, EIO},     Fault{"ENOSPC", io::FaultKind::error, ENOSPC},
    Fault{"EINTR", io::FaultKind::error, EINTR}, Fault{"short", io::FaultKind::short_count},
    Fault{"flip", io::FaultKind::flip},          Fault{"misdirected", io::FaultKind::misdirected},
    Fault{"lost", io::FaultKind::lost},          Fault{"torn", io::FaultKind::torn}};

inline bool takes_space(io::SimStep step) {
  using io::SimStep;
  return step != SimStep::read && step != SimStep::sync && step != SimStep::sync_dir &&
         step != SimStep::remove && step != SimStep::remove_tree && step != SimStep::punch;
}

inline bool can_happen(const Fault& fault, const io::FaultSite& site) {
  if (fault.kind != io::FaultKind::error) {
    return site.transfer && io::applies(fault.kind, site.step);
  }
  return fault.error_number != ENOSPC || takes_space(site.step);
}

/// The call of this site that is struck.
inline io::FaultRule rule_for(const Fault& fault, const io::FaultSite& site, std::uint64_t nth) {
  return {.drive = site.drive,
          .step = site.step,
          .where = site.where,
          .transfer = site.transfer,
          .kind = fault.kind,
          .error_number = fault.error_number,
          .nth = nth};
}

}  // namespace outcrop::test
