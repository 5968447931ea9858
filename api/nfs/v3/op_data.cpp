// READ, WRITE, COMMIT (RFC 1813 sections 3.3.6, 3.3.7, 3.3.21).
#include "api/nfs/v3/ops.h"
#include "storage/ns/types.h"

namespace outcrop::nfs::v3 {
namespace {

enum StableHow : std::uint32_t { kUnstable = 0, kDataSync = 1, kFileSync = 2 };

Task<ns::ReadResult> read(const Call& call,
                          const Target& target,
                          std::uint64_t offset,
                          std::uint64_t count) {
  if (!may_transfer(target.actor, *target.attributes, kMayRead)) {
    co_return fail(Errc::access_denied);
  }
  // Behind every possible end; the sum of offset and count means something from here on.
  if (offset > ns::kMaxObjectBytes && target.attributes->type == ns::FileType::regular) {
    co_return ns::ReadResult{.data = {}, .bytes = 0, .eof = true};
  }
  co_return co_await call.service.files.read(
      target.file(), offset, std::min<std::uint64_t>({count, ns::kMaxWriteBytes, call.most_data}));
}

struct WriteArguments {
  ConstBytes handle;
  std::uint64_t offset = 0;
  std::uint32_t count = 0, how = 0;
  Buffer data;
};

WriteArguments read_write_arguments(XdrReader& in) {
  WriteArguments out;
  out.handle = read_handle(in);
  out.offset = in.u64();
  out.count = in.u32();
  out.how = in.u32();
  out.data = in.payload(kMaxRecordBytes);
  if (out.how > kFileSync) {
    in.fail();
  }
  return out;
}

Task<ns::WriteResult> write(const Call& call, const Target& target, const WriteArguments& args) {
  if (!may_transfer(target.actor, *target.attributes, kMayWrite)) {
    co_return fail(Errc::access_denied);
  }
  if (args.count != args.data.size()) {
    co_return fail(Errc::invalid_argument);
  }
  // More than FSINFO allows is a short write; the client sends the rest.
  const std::uint64_t count = std::min<std::uint64_t>(args.count, ns::kMaxWriteBytes);
  if (args.offset > ns::kMaxObjectBytes - count) {
    co_return fail(Errc::entity_too_large);
  }
  ns::FileSystem& files = call.service.files;
  if (const auto mode = mode_after_write(target.actor, *target.attributes)) {
    ns::SetAttributes strip;
    strip.mode = mode;
    CO_TRYV(co_await files.set_attributes(target.file(), strip));
  }
  std::vector<Buffer> data;
  if (count > 0) {
    data.push_back(args.data.slice(0, count));
  }
  co_return co_await files.write(target.file(), args.offset, std::move(data),
                                 args.how != kUnstable);
}

Task<ns::FileAttributes> commit(const Call& call, const Target& target) {
  if (!may_transfer(target.actor, *target.attributes, kMayWrite)) {
    co_return fail(Errc::access_denied);
  }
  co_return co_await call.service.files.commit(target.file());
}

}  // namespace

Async<Status> op_read(const Call& call, XdrReader& in, XdrWriter& out) {
  const ConstBytes handle = read_handle(in);
  const std::uint64_t offset = in.u64();
  const std::uint32_t count = in.u32();
  if (!in.done()) {
    co_return Status::garbage;
  }
  Target target;
  Result<ns::ReadResult> got;
  Status status = co_await open(call, handle, target);
  if (status == Status::ok) {
    got = co_await read(call, target, offset, count);
    status = to_status(got);
  }
  write_status(out, status);
  write_post_op(out, target.attributes, target.on.get());
  if (status == Status::ok) {
    out.u32(static_cast<std::uint32_t>(got->bytes));
    out.boolean(got->eof);
    out.payload(std::move(got->data));
  }
  co_return status;
}

// Without the attributes before: nothing proves that no other write came in between, and Linux
// takes the absence as "what I knew", which is what parallel writes of one client need.
Async<Status> op_write(const Call& call, XdrReader& in, XdrWriter& out) {
  const WriteArguments args = read_write_arguments(in);
  if (!in.done()) {
    co_return Status::garbage;
  }
  Target target;
  Result<ns::WriteResult> done;
  Status status = co_await open(call, args.handle, target);
  if (status == Status::ok) {
    done = co_await write(call, target, args);
    status = to_status(done);
  }
  Wcc wcc;
  if (status == Status::ok) {
    wcc.after = shown(done->attributes, *target.on);
  } else {
    wcc.after = co_await refreshed(call, target);
  }
  write_status(out, status);
  write_wcc(out, wcc, target.on.get());
  if (status == Status::ok) {
    out.u32(static_cast<std::uint32_t>(std::min<std::uint64_t>(args.count, ns::kMaxWriteBytes)));
    out.u32(done->stable ? kFileSync : kUnstable);
    out.u64(call.service.files.boot_id());
  }
  co_return status;
}

Async<Status> op_commit(const Call& call, XdrReader& in, XdrWriter& out) {
  const ConstBytes handle = read_handle(in);
  in.u64();  // offset and count: everything of the file is made durable
  in.u32();
  if (!in.done()) {
    co_return Status::garbage;
  }
  Target target;
  Wcc wcc;
  Status status = co_await open(call, handle, target);
  if (status == Status::ok) {
    const Result<ns::FileAttributes> done = co_await commit(call, target);
    status = to_status(done);
    if (done) {
      wcc.after = shown(*done, *target.on);
    }
  }
  if (status != Status::ok) {
    wcc.after = co_await refreshed(call, target);
  }
  write_status(out, status);
  write_wcc(out, wcc, target.on.get());
  if (status == Status::ok) {
    out.u64(call.service.files.boot_id());
  }
  co_return status;
}

}  // namespace outcrop::nfs::v3
