#include "api/nfs/audit.h"

#include "storage/digest/xxh.h"

namespace outcrop::nfs {
namespace {

struct StatusName {
  std::uint32_t number;
  std::string_view name;
  audit::Decision decision;
};
constexpr std::uint32_t kBadHandle = 10001;
constexpr auto kOk = audit::Decision::ok;
constexpr auto kDenied = audit::Decision::denied;
constexpr auto kFailed = audit::Decision::failed;
constexpr std::array kStatuses = std::to_array<StatusName>({
    {0, "ok", kOk},
    {1, "perm", kDenied},
    {2, "noent", kFailed},
    {5, "io", kFailed},
    {13, "acces", kDenied},
    {17, "exist", kFailed},
    {18, "xdev", kFailed},
    {20, "notdir", kFailed},
    {21, "isdir", kFailed},
    {22, "inval", kFailed},
    {27, "fbig", kFailed},
    {28, "nospc", kFailed},
    {30, "rofs", kDenied},
    {31, "mlink", kFailed},
    {63, "nametoolong", kFailed},
    {66, "notempty", kFailed},
    {69, "dquot", kFailed},
    {70, "stale", kFailed},
    {kBadHandle, "badhandle", kDenied},
    {10004, "notsupp", kFailed},
    {10016, "wrongsec", kDenied},
});
// Not decisions: the client tries again. jukebox or delay, grace.
constexpr std::array<std::uint32_t, 2> kLater{10008, 10013};

const StatusName* find_status(std::uint32_t status) {
  const auto* const it = std::ranges::find(kStatuses, status, &StatusName::number);
  return it == kStatuses.end() ? nullptr : it;
}

audit::Decision decision_of(std::uint32_t status) {
  const StatusName* const known = find_status(status);
  return known == nullptr ? kFailed : known->decision;
}

std::string_view reason_of(std::uint32_t status, const AuditNote& note) {
  if (note.refused) {
    return "the export is not for this client or connection";
  }
  switch (status) {
    case 0:
      return "export and permissions";
    case 13:
      return "permissions";
    case 1:
      return "not the owner";
    case 30:
      return "read-only";
    case kBadHandle:
      return "a handle that this server did not make";
    case 10016:
      return "the export wants a protected connection";
    default:
      return {};
  }
}

}  // namespace

bool Auditor::wants(AuditKind kind, std::uint32_t status, const Peer& peer, const AuditNote& note) {
  if (std::ranges::find(kLater, status) != kLater.end()) {
    return false;
  }
  if (status == kBadHandle) {
    return first_time(kind, peer, note);
  }
  if (note.refused || kind == AuditKind::change) {
    return true;
  }
  if (kind == AuditKind::read) {
    return false;
  }
  return status != 0 || first_time(kind, peer, note);
}

// Racing workers may both say yes: a record more.
bool Auditor::first_time(AuditKind kind, const Peer& peer, const AuditNote& note) {
  std::string who = peer.address.to_string();
  for (const std::uint64_t number :
       {std::uint64_t{note.on ? note.on->id : 0u}, note.first ? note.first->ino : 0,
        std::uint64_t{note.uid.value_or(0)}, static_cast<std::uint64_t>(kind)}) {
    who.append(reinterpret_cast<const char*>(&number), sizeof number);
  }
  const std::uint64_t hash = digest::xxh3_64(as_bytes(who));
  const std::uint64_t tag = hash & 0xFFFFFFFF00000000u;
  const auto now = static_cast<std::uint32_t>(x_clock.steady_ns() / 1'000'000'000) + 1;
  auto& set = x_seen[hash % kSets];
  std::atomic<std::uint64_t>* oldest = &set[0];
  for (std::atomic<std::uint64_t>& slot : set) {
    const std::uint64_t seen = slot.load(std::memory_order_relaxed);
    const auto second = static_cast<std::uint32_t>(seen);
    if (second != 0 && (seen & 0xFFFFFFFF00000000u) == tag && now - second < kWriteQuietSeconds) {
      if (second != now) {
        slot.store(tag | now, std::memory_order_relaxed);
      }
      return false;
    }
    const auto kept = static_cast<std::uint32_t>(oldest->load(std::memory_order_relaxed));
    oldest = second < kept ? &slot : oldest;
  }
  oldest->store(tag | now, std::memory_order_relaxed);
  return true;
}

Async<std::string> Auditor::name_of(const AuditNote& note,
                                    std::optional<ns::FileId> file,
                                    std::string_view name) {
  std::string out = note.on ? note.on->bucket : std::string();
  if (file) {
    const Result<std::string> path = co_await x_files.path(*file);
    out.append("/");
    if (path) {
      out.append(*path);
    } else {
      out.append("#").append(std::to_string(file->ino)).append(name.empty() ? "" : "/");
    }
  }
  co_return out.append(name);
}

Async<> Auditor::record(const Peer& peer,
                        std::string_view action,
                        std::uint32_t status,
                        const AuditNote& note) {
  const std::string resource = co_await name_of(note, note.first, note.first_name);
  std::string target;
  if (note.second) {
    target = co_await name_of(note, note.second, note.second_name);
  }
  const std::string address = peer.address.to_string();
  const StatusName* const known = find_status(status);
  const std::string number = std::to_string(status);
  std::string_view identity;
  if (note.on) {
    identity = note.on->identity.empty() ? std::string_view("root") : note.on->identity;
  }
  x_sink.record({.protocol = "nfs",
                 .address = address,
                 .identity = identity,
                 .action = action,
                 .resource = resource,
                 .target = target,
                 .result = note.refused ? kDenied : decision_of(status),
                 .status = known != nullptr ? known->name : std::string_view(number),
                 .reason = reason_of(status, note),
                 .on = note.on ? std::string_view(note.on->path) : std::string_view(),
                 .uid = note.uid,
                 .gid = note.gid});
}

}  // namespace outcrop::nfs
