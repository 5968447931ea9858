#include "api/nfs/v4/attributes.h"

#include "api/nfs/file_type.h"
#include "api/nfs/v4/names.h"

namespace outcrop::nfs::v4 {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;

/// How a value looks on the wire; enough to step over one.
enum class Form : std::uint8_t {
  u32,
  u64,
  boolean,
  time,
  pair64,  ///< fsid4
  pair32,  ///< specdata4, mode_umask4
  bytes,
  bitmap,
  settime,
  locations,
};

enum class Use : std::uint8_t { get, get_set, set };

using Encode = void (*)(XdrWriter& out, const AttributeSource& from);

struct Row {
  Attribute number;
  std::uint8_t since;  ///< minor version
  Form form;
  Use use;
  Encode encode;
};

void write_time(XdrWriter& out, std::int64_t ns) {
  std::int64_t seconds = ns / kNsPerSecond;
  std::int64_t rest = ns % kNsPerSecond;
  if (rest < 0) {
    --seconds;
    rest += kNsPerSecond;
  }
  out.i64(seconds);
  out.u32(static_cast<std::uint32_t>(rest));
}

void write_locations(XdrWriter& out, const AttributeSource& from) {
  out.u32(static_cast<std::uint32_t>(from.root_path.size()));
  for (const std::string& component : from.root_path) {
    out.string(component);
  }
  out.u32(0);  // nowhere else
}

// Values of RFC 8881 and 7862: FH4_PERSISTENT, FSCHARSET_CAP4_ALLOWS_ONLY_UTF8,
// NFS4_CHANGE_TYPE_IS_MONOTONIC_INCR.
constexpr std::uint32_t kPersistent = 0, kOnlyUtf8 = 2, kMonotonic = 0;

#define OUTCROP_ENCODE(...) \
  [](XdrWriter& out, [[maybe_unused]] const AttributeSource& from) { __VA_ARGS__; }

/// By number: values are encoded in this order.
constexpr Row kRows[] = {
    {Attribute::supported_attrs, 0, Form::bitmap, Use::get,
     OUTCROP_ENCODE(supported_attributes(from.minor).write(out))},
    {Attribute::type, 0, Form::u32, Use::get, OUTCROP_ENCODE(out.u32(to_wire(from.file.type)))},
    {Attribute::fh_expire_type, 0, Form::u32, Use::get, OUTCROP_ENCODE(out.u32(kPersistent))},
    {Attribute::change, 0, Form::u64, Use::get, OUTCROP_ENCODE(out.u64(from.file.change))},
    {Attribute::size, 0, Form::u64, Use::get_set, OUTCROP_ENCODE(out.u64(from.file.size))},
    {Attribute::link_support, 0, Form::boolean, Use::get, OUTCROP_ENCODE(out.boolean(true))},
    {Attribute::symlink_support, 0, Form::boolean, Use::get, OUTCROP_ENCODE(out.boolean(true))},
    {Attribute::named_attr, 0, Form::boolean, Use::get, OUTCROP_ENCODE(out.boolean(false))},
    {Attribute::fsid, 0, Form::pair64, Use::get,
     OUTCROP_ENCODE(out.u64(from.fsid.major); out.u64(from.fsid.minor))},
    {Attribute::unique_handles, 0, Form::boolean, Use::get, OUTCROP_ENCODE(out.boolean(true))},
    {Attribute::lease_time, 0, Form::u32, Use::get, OUTCROP_ENCODE(out.u32(from.lease_seconds))},
    {Attribute::rdattr_error, 0, Form::u32, Use::get,
     OUTCROP_ENCODE(out.u32(static_cast<std::uint32_t>(from.rdattr_error)))},
    {Attribute::aclsupport, 0, Form::u32, Use::get, OUTCROP_ENCODE(out.u32(0))},
    {Attribute::cansettime, 0, Form::boolean, Use::get, OUTCROP_ENCODE(out.boolean(true))},
    {Attribute::case_insensitive, 0, Form::boolean, Use::get, OUTCROP_ENCODE(out.boolean(false))},
    {Attribute::case_preserving, 0, Form::boolean, Use::get, OUTCROP_ENCODE(out.boolean(true))},
    {Attribute::chown_restricted, 0, Form::boolean, Use::get, OUTCROP_ENCODE(out.boolean(true))},
    {Attribute::filehandle, 0, Form::bytes, Use::get, OUTCROP_ENCODE(out.opaque(from.handle))},
    {Attribute::fileid, 0, Form::u64, Use::get, OUTCROP_ENCODE(out.u64(from.file.id.ino))},
    {Attribute::files_avail, 0, Form::u64, Use::get,
     OUTCROP_ENCODE(out.u64(from.space.free_files))},
    {Attribute::files_free, 0, Form::u64, Use::get, OUTCROP_ENCODE(out.u64(from.space.free_files))},
    {Attribute::files_total, 0, Form::u64, Use::get, OUTCROP_ENCODE(out.u64(from.space.files))},
    {Attribute::fs_locations, 0, Form::locations, Use::get,
     OUTCROP_ENCODE(write_locations(out, from))},
    {Attribute::homogeneous, 0, Form::boolean, Use::get, OUTCROP_ENCODE(out.boolean(true))},
    {Attribute::maxfilesize, 0, Form::u64, Use::get, OUTCROP_ENCODE(out.u64(kMaxFileSize))},
    {Attribute::maxlink, 0, Form::u32, Use::get, OUTCROP_ENCODE(out.u32(ns::kMaxLinks))},
    {Attribute::maxname, 0, Form::u32, Use::get, OUTCROP_ENCODE(out.u32(ns::kMaxFileNameBytes))},
    {Attribute::maxread, 0, Form::u64, Use::get, OUTCROP_ENCODE(out.u64(ns::kMaxWriteBytes))},
    {Attribute::maxwrite, 0, Form::u64, Use::get, OUTCROP_ENCODE(out.u64(ns::kMaxWriteBytes))},
    {Attribute::mode, 0, Form::u32, Use::get_set, OUTCROP_ENCODE(out.u32(from.file.mode))},
    {Attribute::no_trunc, 0, Form::boolean, Use::get, OUTCROP_ENCODE(out.boolean(true))},
    {Attribute::numlinks, 0, Form::u32, Use::get, OUTCROP_ENCODE(out.u32(from.file.links))},
    {Attribute::owner, 0, Form::bytes, Use::get_set,
     OUTCROP_ENCODE(out.string(std::to_string(from.file.uid)))},
    {Attribute::owner_group, 0, Form::bytes, Use::get_set,
     OUTCROP_ENCODE(out.string(std::to_string(from.file.gid)))},
    {Attribute::quota_avail_hard, 0, Form::u64, Use::get,
     OUTCROP_ENCODE(out.u64(from.space.free_bytes))},
    {Attribute::quota_avail_soft, 0, Form::u64, Use::get,
     OUTCROP_ENCODE(out.u64(from.space.free_bytes))},
    {Attribute::quota_used, 0, Form::u64, Use::get, OUTCROP_ENCODE(out.u64(from.space.used_bytes))},
    {Attribute::rawdev, 0, Form::pair32, Use::get,
     OUTCROP_ENCODE(out.u32(from.file.device.major); out.u32(from.file.device.minor))},
    {Attribute::space_avail, 0, Form::u64, Use::get,
     OUTCROP_ENCODE(out.u64(from.space.free_bytes))},
    {Attribute::space_free, 0, Form::u64, Use::get, OUTCROP_ENCODE(out.u64(from.space.free_bytes))},
    {Attribute::space_total, 0, Form::u64, Use::get,
     OUTCROP_ENCODE(out.u64(from.space.total_bytes))},
    {Attribute::space_used, 0, Form::u64, Use::get, OUTCROP_ENCODE(out.u64(from.file.used))},
    {Attribute::time_access, 0, Form::time, Use::get,
     OUTCROP_ENCODE(write_time(out, from.file.atime_ns))},
    {Attribute::time_access_set, 0, Form::settime, Use::set, nullptr},
    {Attribute::time_create, 0, Form::time, Use::get,
     OUTCROP_ENCODE(write_time(out, from.file.btime_ns))},
    {Attribute::time_delta, 0, Form::time, Use::get, OUTCROP_ENCODE(write_time(out, 1))},
    {Attribute::time_metadata, 0, Form::time, Use::get,
     OUTCROP_ENCODE(write_time(out, from.file.ctime_ns))},
    {Attribute::time_modify, 0, Form::time, Use::get,
     OUTCROP_ENCODE(write_time(out, from.file.mtime_ns))},
    {Attribute::time_modify_set, 0, Form::settime, Use::set, nullptr},
    {Attribute::mounted_on_fileid, 0, Form::u64, Use::get,
     OUTCROP_ENCODE(out.u64(from.mounted_on))},
    {Attribute::suppattr_exclcreat, 1, Form::bitmap, Use::get,
     OUTCROP_ENCODE(exclusive_create_attributes(from.minor).write(out))},
    {Attribute::fs_charset_cap, 1, Form::u32, Use::get, OUTCROP_ENCODE(out.u32(kOnlyUtf8))},
    {Attribute::clone_blksize, 2, Form::u32, Use::get, OUTCROP_ENCODE(out.u32(1))},
    {Attribute::space_freed, 2, Form::u64, Use::get,
     OUTCROP_ENCODE(out.u64(from.file.links > 1 ? 0 : from.file.used))},
    {Attribute::change_attr_type, 2, Form::u32, Use::get, OUTCROP_ENCODE(out.u32(kMonotonic))},
    {Attribute::mode_umask, 2, Form::pair32, Use::set, nullptr},
    {Attribute::xattr_support, 2, Form::boolean, Use::get, OUTCROP_ENCODE(out.boolean(true))},
};
#undef OUTCROP_ENCODE

struct Sets {
  AttributeSet supported, readable, settable;
};

constexpr Sets make_sets(unsigned minor) {
  Sets out;
  for (const Row& row : kRows) {
    if (row.since > minor) {
      continue;
    }
    out.supported.add(row.number);
    if (row.use != Use::set) {
      out.readable.add(row.number);
    }
    if (row.use != Use::get) {
      out.settable.add(row.number);
    }
  }
  return out;
}

constexpr Sets kSets[] = {make_sets(0), make_sets(1), make_sets(2)};

bool skip(XdrReader& in, Form form) {
  switch (form) {
    case Form::u32:
      in.u32();
      break;
    case Form::u64:
      in.u64();
      break;
    case Form::boolean:
      in.boolean();
      break;
    case Form::time:
      in.i64();
      in.u32();
      break;
    case Form::pair64:
      in.u64();
      in.u64();
      break;
    case Form::pair32:
      in.u32();
      in.u32();
      break;
    case Form::bytes:
      in.opaque(kMaxAttributeBytes);
      break;
    case Form::bitmap:
      AttributeSet::read(in);
      break;
    case Form::settime:
      if (in.u32() == 1) {
        in.i64();
        in.u32();
      }
      break;
    case Form::locations:
      for (std::size_t n = in.count(kMaxAttributeBytes); n > 0; --n) {
        in.opaque(kMaxAttributeBytes);
      }
      for (std::size_t n = in.count(kMaxAttributeBytes, 8); n > 0 && in.ok(); --n) {
        for (int list = 0; list < 2; ++list) {
          for (std::size_t k = in.count(kMaxAttributeBytes); k > 0; --k) {
            in.opaque(kMaxAttributeBytes);
          }
        }
      }
      break;
  }
  return in.ok();
}

/// settime4. Times that do not fit 64 bits of nanoseconds are refused, not wrapped.
Status read_settime(XdrReader& in, std::int64_t now_ns, std::int64_t& out, bool& now) {
  const std::uint32_t how = in.u32();
  if (how > 1) {
    in.fail();
  }
  now = how == 0;
  out = now_ns;
  if (how == 1) {
    const std::int64_t seconds = in.i64();
    const std::uint32_t rest = in.u32();
    constexpr std::int64_t kMost = INT64_MAX / kNsPerSecond - 1;
    if (rest >= kNsPerSecond || seconds > kMost || seconds < -kMost) {
      return in.ok() ? Status::inval : Status::badxdr;
    }
    out = seconds * kNsPerSecond + rest;
  }
  return in.ok() ? Status::ok : Status::badxdr;
}

Status read_id(XdrReader& in, std::optional<std::uint32_t>& out) {
  const std::string_view text = in.string(kMaxAttributeBytes);
  if (!in.ok()) {
    return Status::badxdr;
  }
  std::uint32_t id = 0;
  const Status status = parse_owner(text, id);
  out = id;
  return status;
}

Status read_mode(XdrReader& in, bool with_umask, std::optional<std::uint32_t>& out) {
  const std::uint32_t mode = in.u32();
  const std::uint32_t umask = with_umask ? in.u32() : 0;
  if (!in.ok()) {
    return Status::badxdr;
  }
  if (mode > 07777 || umask > 0777) {
    return Status::inval;
  }
  out = mode & ~umask;
  return Status::ok;
}

Status read_size(XdrReader& in, std::optional<std::uint64_t>& out) {
  const std::uint64_t size = in.u64();
  if (!in.ok()) {
    return Status::badxdr;
  }
  out = size;
  return size > kMaxFileSize ? Status::fbig : Status::ok;
}

struct Times {
  bool any = false, all_now = true;
};

Status read_time(XdrReader& in,
                 std::int64_t now_ns,
                 std::optional<std::int64_t>& out,
                 Times& times) {
  bool now = false;
  std::int64_t ns = 0;
  const Status status = read_settime(in, now_ns, ns, now);
  out = ns;
  times.any = true;
  times.all_now = times.all_now && now;
  return status;
}

Status read_settable(XdrReader& in, Attribute a, std::int64_t now, SetRequest& out, Times& times) {
  switch (a) {
    case Attribute::size:
      return read_size(in, out.set.size);
    case Attribute::mode:
    case Attribute::mode_umask:
      return read_mode(in, a == Attribute::mode_umask, out.set.mode);
    case Attribute::owner:
      return read_id(in, out.set.uid);
    case Attribute::owner_group:
      return read_id(in, out.set.gid);
    case Attribute::time_access_set:
      return read_time(in, now, out.set.atime_ns, times);
    default:
      return read_time(in, now, out.set.mtime_ns, times);
  }
}

}  // namespace

AttributeSet supported_attributes(unsigned minor) { return kSets[minor].supported; }
AttributeSet settable_attributes(unsigned minor) { return kSets[minor].settable; }
AttributeSet write_only_attributes() {
  return {Attribute::time_access_set, Attribute::time_modify_set, Attribute::mode_umask};
}
AttributeSet exclusive_create_attributes(unsigned minor) {
  return minor == 0 ? AttributeSet() : settable_attributes(minor);
}

void write_attributes(XdrWriter& out, const AttributeSet& wanted, const AttributeSource& from) {
  const AttributeSet given = wanted & kSets[from.minor].readable;
  given.write(out);
  const XdrWriter::Mark length = out.mark();
  out.u32(0);
  const std::size_t start = out.size();
  for (const Row& row : kRows) {
    if (given.has(row.number)) {
      row.encode(out, from);
    }
  }
  out.patch_u32(length, static_cast<std::uint32_t>(out.size() - start));
}

Status parse_settable(const WireAttributes& in,
                      unsigned minor,
                      SetPurpose purpose,
                      std::int64_t now_ns,
                      SetRequest& out) {
  if (!in.given.within(supported_attributes(minor))) {
    return Status::attrnotsupp;
  }
  const bool both_modes = in.given.has(Attribute::mode) && in.given.has(Attribute::mode_umask);
  const bool umask_here = purpose == SetPurpose::create || !in.given.has(Attribute::mode_umask);
  if (!in.given.within(settable_attributes(minor)) || both_modes || !umask_here) {
    return Status::inval;
  }
  XdrReader values(in.values);
  Times times;
  Status first = Status::ok;
  for (const Row& row : kRows) {
    if (!in.given.has(row.number)) {
      continue;
    }
    const Status status = read_settable(values, row.number, now_ns, out, times);
    if (status == Status::badxdr) {
      return status;
    }
    first = first == Status::ok ? status : first;
  }
  out.given = in.given;
  out.times_now = times.any && times.all_now;
  return values.done() ? first : Status::badxdr;
}

Status check_comparable(const WireAttributes& in, unsigned minor) {
  if (!in.given.within(supported_attributes(minor))) {
    return Status::attrnotsupp;
  }
  if (in.given.has_any(write_only_attributes()) || in.given.has(Attribute::rdattr_error)) {
    return Status::inval;
  }
  XdrReader values(in.values);
  for (const Row& row : kRows) {
    if (in.given.has(row.number) && !skip(values, row.form)) {
      return Status::badxdr;
    }
  }
  return values.done() ? Status::ok : Status::badxdr;
}

Status compare_attributes(const WireAttributes& in, const AttributeSource& with) {
  if (const Status status = check_comparable(in, with.minor); status != Status::ok) {
    return status;
  }
  XdrWriter ours;
  for (const Row& row : kRows) {
    if (in.given.has(row.number)) {
      row.encode(ours, with);
    }
  }
  return ours.flatten() == as_text(in.values) ? Status::ok : Status::not_same;
}

}  // namespace outcrop::nfs::v4
