// FSSTAT, FSINFO, PATHCONF (RFC 1813 sections 3.3.18 to 3.3.20).
#include "api/nfs/v3/ops.h"
#include "storage/ns/types.h"

namespace outcrop::nfs::v3 {
namespace {

constexpr std::uint32_t kTransferBytes = ns::kMaxWriteBytes;
constexpr std::uint32_t kTransferMultiple = 4096;
constexpr std::uint32_t kDirectoryBytes = 64 << 10;
// Hard links, symbolic links, the same PATHCONF everywhere, times can be set.
constexpr std::uint32_t kProperties = 0x01 | 0x02 | 0x08 | 0x10;

void write_space(XdrWriter& out, const ns::FileSystemSpace& space) {
  out.u64(space.total_bytes);
  out.u64(space.free_bytes);
  out.u64(space.free_bytes);  // of the caller: quotas are the bucket's, not his
  out.u64(space.files);
  out.u64(space.free_files);
  out.u64(space.free_files);
  out.u32(0);  // may change at any time
}

void write_limits(XdrWriter& out) {
  for (int i = 0; i < 2; ++i) {  // reads, then writes
    out.u32(kTransferBytes);
    out.u32(kTransferBytes);
    out.u32(kTransferMultiple);
  }
  out.u32(kDirectoryBytes);
  out.u64(ns::kMaxObjectBytes);
  out.u32(0);  // times are exact to
  out.u32(1);  // one nanosecond
  out.u32(kProperties);
}

void write_path_limits(XdrWriter& out) {
  out.u32(ns::kMaxLinks);
  out.u32(ns::kMaxFileNameBytes);
  out.boolean(true);   // longer names are refused, not cut
  out.boolean(true);   // only the superuser gives files away
  out.boolean(false);  // case counts
  out.boolean(true);   // and is kept
}

/// What the three share: a handle in, attributes and something constant out.
template <class Write>
Async<Status> describe(const Call& call, XdrReader& in, XdrWriter& out, Write write) {
  const ConstBytes handle = read_handle(in);
  if (!in.done()) {
    co_return Status::garbage;
  }
  Target target;
  const Status status = co_await open(call, handle, target);
  write_status(out, status);
  write_post_op(out, target.attributes, target.on.get());
  if (status == Status::ok) {
    write(out);
  }
  co_return status;
}

}  // namespace

Async<Status> op_fsstat(const Call& call, XdrReader& in, XdrWriter& out) {
  const ConstBytes handle = read_handle(in);
  if (!in.done()) {
    co_return Status::garbage;
  }
  Target target;
  Result<ns::FileSystemSpace> space;
  Status status = co_await open(call, handle, target);
  if (status == Status::ok) {
    space = co_await call.service.files.space(target.file().root);
    status = to_status(space);
  }
  write_status(out, status);
  write_post_op(out, target.attributes, target.on.get());
  if (status == Status::ok) {
    write_space(out, *space);
  }
  co_return status;
}

Async<Status> op_fsinfo(const Call& call, XdrReader& in, XdrWriter& out) {
  return describe(call, in, out, write_limits);
}

Async<Status> op_pathconf(const Call& call, XdrReader& in, XdrWriter& out) {
  return describe(call, in, out, write_path_limits);
}

}  // namespace outcrop::nfs::v3
