#include "api/nfs/v3/attributes.h"

#include <algorithm>

#include "api/nfs/file_type.h"

namespace outcrop::nfs::v3 {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::uint32_t kSetUid = 04000, kSetGid = 02000, kGroupExecute = 0010;
enum SetTime : std::uint32_t { kDontChange = 0, kToServer = 1, kToClient = 2 };

/// nfstime3 ends in 2106 and knows nothing before 1970.
void write_time(XdrWriter& out, std::int64_t ns) {
  const std::int64_t seconds = std::clamp<std::int64_t>(ns / kSecond, 0, UINT32_MAX);
  out.u32(static_cast<std::uint32_t>(seconds));
  out.u32(ns < 0 ? 0 : static_cast<std::uint32_t>(ns % kSecond));
}

std::optional<std::int64_t> read_set_time(XdrReader& in, std::int64_t now_ns, bool& to_now) {
  switch (in.u32()) {
    case kDontChange:
      return std::nullopt;
    case kToServer:
      to_now = true;
      return now_ns;
    case kToClient:
      return read_time(in);
    default:
      in.fail();
      return std::nullopt;
  }
}

}  // namespace

void write_attributes(XdrWriter& out, const ns::FileAttributes& a, const Export& on) {
  out.u32(to_wire(a.type));
  out.u32(a.mode);
  out.u32(a.links);
  out.u32(a.uid);
  out.u32(a.gid);
  out.u64(a.size);
  out.u64(a.used);
  out.u32(a.device.major);
  out.u32(a.device.minor);
  // Exports of one bucket differ, so that clients do not take their different rules for one mount.
  out.u64(a.id.root ^ std::uint64_t{on.id} << 48);
  out.u64(a.id.ino);
  write_time(out, a.atime_ns);
  write_time(out, a.mtime_ns);
  write_time(out, a.ctime_ns);
}

void write_post_op(XdrWriter& out, const Shown& shown, const Export* on) {
  out.boolean(shown.has_value());
  if (shown) {
    write_attributes(out, *shown, *on);
  }
}

void write_wcc(XdrWriter& out, const Wcc& wcc, const Export* on) {
  out.boolean(wcc.before.has_value());
  if (wcc.before) {
    out.u64(wcc.before->size);
    write_time(out, wcc.before->mtime_ns);
    write_time(out, wcc.before->ctime_ns);
  }
  write_post_op(out, wcc.after, on);
}

std::int64_t read_time(XdrReader& in) {
  const std::int64_t seconds = in.u32();
  const std::int64_t nanoseconds = in.u32();
  if (nanoseconds >= kSecond) {
    in.fail();
  }
  return seconds * kSecond + nanoseconds;
}

AskedAttributes read_asked(XdrReader& in, std::int64_t now_ns) {
  AskedAttributes out;
  if (in.boolean()) {
    out.set.mode = in.u32() & 07777;
  }
  if (in.boolean()) {
    out.set.uid = in.u32();
  }
  if (in.boolean()) {
    out.set.gid = in.u32();
  }
  if (in.boolean()) {
    out.set.size = in.u64();
  }
  bool atime_to_now = false, mtime_to_now = false;
  out.set.atime_ns = read_set_time(in, now_ns, atime_to_now);
  out.set.mtime_ns = read_set_time(in, now_ns, mtime_to_now);
  const bool client_time =
      (out.set.atime_ns && !atime_to_now) || (out.set.mtime_ns && !mtime_to_now);
  out.to_now = (atime_to_now || mtime_to_now) && !client_time;
  return out;
}

std::optional<std::uint32_t> mode_after_write(const Actor& actor, const ns::FileAttributes& shown) {
  if (actor.superuser || shown.type != ns::FileType::regular) {
    return std::nullopt;
  }
  // Set-gid without group execution asks for mandatory locks, it lends nobody a group.
  const std::uint32_t drop = kSetUid | ((shown.mode & kGroupExecute) != 0 ? kSetGid : 0U);
  return (shown.mode & drop) != 0 ? std::optional(shown.mode & ~drop) : std::nullopt;
}

ns::SetAttributes initial(const Actor& actor,
                          const ns::FileAttributes& directory,
                          ns::FileType type,
                          ns::SetAttributes asked) {
  const bool inherits = (directory.mode & kSetGid) != 0;
  const std::uint32_t gid = inherits ? directory.gid : actor.gid;
  if (!actor.superuser) {
    asked.uid.reset();
    if (asked.gid && !actor.in_group(*asked.gid)) {
      asked.gid.reset();
    }
  }
  asked.uid = asked.uid.value_or(actor.uid);
  asked.gid = asked.gid.value_or(gid);
  if (asked.mode && !actor.superuser && !actor.in_group(*asked.gid)) {
    *asked.mode &= ~kSetGid;
  }
  if (type == ns::FileType::directory && inherits) {
    asked.mode = asked.mode.value_or(0755) | kSetGid;
  }
  return asked;
}

}  // namespace outcrop::nfs::v3
