#include "api/nfs/v4/audit.h"

#include "api/nfs/v4/nfs4.h"

namespace outcrop::nfs::v4 {
namespace {

bool is_denial(Status status) {
  return status == Status::access || status == Status::perm || status == Status::rofs;
}

/// LOOKUP out of the pseudo file system into an export is what mounting is in NFSv4.
AuditKind kind_of(const Compound& c, const OpRow& row, Status status) {
  switch (row.number) {
    case Op::write:
      return AuditKind::data;
    case Op::lookup:
      return c.note.entered ? AuditKind::mount : AuditKind::read;
    case Op::open:
      return c.note.changed || is_denial(status) ? AuditKind::change : AuditKind::read;
    default:
      return row.traits.modifies ? AuditKind::change : AuditKind::read;
  }
}

}  // namespace

void begin_audit(Compound& c, const OpRow& row) {
  c.note = {};
  const bool may_change = row.traits.modifies || row.number == Op::open;
  if (!may_change || !c.current || c.current->pseudo()) {
    return;
  }
  c.note.on = c.current->on;
  c.note.act_as(*c.current->actor);
  if (row.traits.saved && c.saved && !c.saved->pseudo()) {
    c.note.about(c.saved->file());
  }
  c.note.about(c.current->file());
}

Async<> end_audit(Compound& c, const OpRow& row, Status status) {
  if (status == Status::wrongsec) {
    c.note.refused = true;
    if (!c.note.on && c.current && !c.current->pseudo()) {
      c.note.on = c.current->on;
      c.note.about(c.current->file());
    }
  }
  if (c.note.entered && status == Status::ok && c.current && !c.current->pseudo()) {
    c.note.act_as(*c.current->actor);
    c.note.first = c.current->file();
  }
  const auto number = static_cast<std::uint32_t>(status);
  Auditor& auditor = *c.core.service.audit;
  if (auditor.wants(kind_of(c, row, status), number, c.peer, c.note)) {
    const std::string action = operation_name(static_cast<std::uint32_t>(row.number));
    co_await auditor.record(c.peer, action, number, c.note);
  }
}

}  // namespace outcrop::nfs::v4
