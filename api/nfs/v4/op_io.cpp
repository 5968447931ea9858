// Operations on data: READ, WRITE, COMMIT, and of 4.2 ALLOCATE, DEALLOCATE, SEEK, IO_ADVISE.
#include "api/nfs/v4/ops.h"
#include "api/nfs/v4/status_map.h"

namespace outcrop::nfs::v4 {
namespace {

enum class Stable : std::uint32_t { unstable = 0, data_sync = 1, file_sync = 2 };

/// A range of 4.2: it ends at kMaxFileSize at last.
Status check_range(std::uint64_t offset, std::uint64_t length) {
  if (length == 0 || length > UINT64_MAX - offset) {
    return Status::inval;
  }
  return offset > kMaxFileSize || length > kMaxFileSize - offset ? Status::fbig : Status::ok;
}

struct RangeArguments {
  Stateid stateid;
  std::uint64_t offset = 0, length = 0;
};

RangeArguments read_range(XdrReader& in) {
  RangeArguments out;
  out.stateid = read_stateid(in);
  out.offset = in.u64();
  out.length = in.u64();
  return out;
}

/// ALLOCATE and DEALLOCATE up to the change itself.
Async<Status> prepare_change(Compound& c, XdrReader& in, RangeArguments& args) {
  args = read_range(in);
  if (!in.ok()) {
    co_return Status::badxdr;
  }
  if (const Status status = co_await c.load_regular(*c.current, Status::wrong_type);
      status != Status::ok) {
    co_return status == Status::isdir ? Status::wrong_type : status;
  }
  const Outcome<IoGrant> grant = c.check_io(args.stateid, *c.current, IoKind::write);
  co_return grant ? check_range(args.offset, args.length) : grant.error();
}

Status took(Compound& c, const Result<ns::FileAttributes>& done) {
  if (!done) {
    return to_status(done.error());
  }
  c.current->known = shown(*done, *c.current->on);
  return Status::ok;
}

/// What a symbolic link answers to READ and WRITE.
Status not_a_file(const Compound& c) { return c.minor == 0 ? Status::inval : Status::symlink; }

}  // namespace

Async<Status> op_read(Compound& c, XdrReader& in, XdrWriter& out) {
  const Stateid stateid = read_stateid(in);
  const std::uint64_t offset = in.u64();
  const std::uint32_t count = in.u32();
  if (!in.ok()) {
    co_return Status::badxdr;
  }
  FileRef& file = *c.current;
  if (const Status status = co_await c.load_regular(file, not_a_file(c)); status != Status::ok) {
    co_return status;
  }
  if (const Outcome<IoGrant> grant = c.check_io(stateid, file, IoKind::read); !grant) {
    co_return grant.error();
  }
  if (offset >= file.known->size || count == 0) {
    out.boolean(offset >= file.known->size);
    out.u32(0);
    co_return Status::ok;
  }
  const std::uint64_t length =
      std::min<std::uint64_t>({count, ns::kMaxWriteBytes, c.room_for_data(out)});
  Result<ns::ReadResult> got = co_await c.files().read(file.file(), offset, length);
  if (!got) {
    co_return to_status(got.error());
  }
  out.boolean(got->eof);
  out.payload(std::move(got->data));
  co_return Status::ok;
}

Async<Status> op_write(Compound& c, XdrReader& in, XdrWriter& out) {
  const Stateid stateid = read_stateid(in);
  const std::uint64_t offset = in.u64();
  const std::uint32_t stable = in.u32();
  Buffer data = in.payload(kMaxRecordBytes);
  if (!in.ok() || stable > static_cast<std::uint32_t>(Stable::file_sync)) {
    co_return Status::badxdr;
  }
  FileRef& file = *c.current;
  if (const Status status = co_await c.load_regular(file, not_a_file(c)); status != Status::ok) {
    co_return status;
  }
  if (const Outcome<IoGrant> grant = c.check_io(stateid, file, IoKind::write); !grant) {
    co_return grant.error();
  }
  const std::size_t count = std::min<std::size_t>(data.size(), ns::kMaxWriteBytes);
  if (offset > kMaxFileSize || count > kMaxFileSize - offset) {
    co_return Status::fbig;
  }
  bool durable = static_cast<Stable>(stable) != Stable::unstable;
  if (count > 0) {
    std::vector<Buffer> pieces{data.slice(0, count)};
    const Result<ns::WriteResult> done =
        co_await c.files().write(file.file(), offset, std::move(pieces), durable);
    if (!done) {
      co_return to_status(done.error());
    }
    file.known = shown(done->attributes, *file.on);
    durable = done->stable;
  }
  out.u32(static_cast<std::uint32_t>(count));
  out.u32(static_cast<std::uint32_t>(durable ? Stable::file_sync : Stable::unstable));
  out.fixed_opaque(c.core.write_verifier());
  co_return Status::ok;
}

Async<Status> op_commit(Compound& c, XdrReader& in, XdrWriter& out) {
  const std::uint64_t offset = in.u64();
  const std::uint32_t count = in.u32();
  if (!in.ok()) {
    co_return Status::badxdr;
  }
  FileRef& file = *c.current;
  if (const Status status = co_await c.load_regular(file, not_a_file(c)); status != Status::ok) {
    co_return status;
  }
  if (count > UINT64_MAX - offset) {
    co_return Status::inval;
  }
  const Status status = took(c, co_await c.files().commit(file.file()));
  out.fixed_opaque(c.core.write_verifier());
  co_return status;
}

Async<Status> op_allocate(Compound& c, XdrReader& in, XdrWriter&) {
  RangeArguments args;
  if (const Status status = co_await prepare_change(c, in, args); status != Status::ok) {
    co_return status;
  }
  co_return took(c, co_await c.files().allocate(c.current->file(), args.offset, args.length));
}

Async<Status> op_deallocate(Compound& c, XdrReader& in, XdrWriter&) {
  RangeArguments args;
  if (const Status status = co_await prepare_change(c, in, args); status != Status::ok) {
    co_return status;
  }
  co_return took(c, co_await c.files().deallocate(c.current->file(), args.offset, args.length));
}

Async<Status> op_seek(Compound& c, XdrReader& in, XdrWriter& out) {
  const Stateid stateid = read_stateid(in);
  const std::uint64_t offset = in.u64();
  const std::uint32_t what = in.u32();
  if (!in.ok()) {
    co_return Status::badxdr;
  }
  FileRef& file = *c.current;
  if (const Status status = co_await c.load_regular(file, Status::wrong_type);
      status != Status::ok) {
    co_return status == Status::isdir ? Status::wrong_type : status;
  }
  if (const Outcome<IoGrant> grant = c.check_io(stateid, file, IoKind::read); !grant) {
    co_return grant.error();
  }
  if (what > 1) {
    co_return Status::union_notsupp;
  }
  if (offset >= file.known->size) {
    co_return Status::nxio;
  }
  const bool data = what == 0;
  const Result<ns::SeekResult> found = co_await c.files().seek(file.file(), offset, data);
  if (!found) {
    // Behind the last data there is nothing but the end (RFC 7862 section 15.11.3).
    co_return found.error().code() == Errc::not_found ? Status::nxio : to_status(found.error());
  }
  out.boolean(found->eof);
  out.u64(found->offset);
  co_return Status::ok;
}

/// No advice changes what the server does: the hints that it follows are none.
Async<Status> op_io_advise(Compound& c, XdrReader& in, XdrWriter& out) {
  const RangeArguments args = read_range(in);
  AttributeSet::read(in);
  if (!in.ok()) {
    co_return Status::badxdr;
  }
  if (const Status status = co_await c.load_regular(*c.current); status != Status::ok) {
    co_return status;
  }
  if (const Outcome<IoGrant> grant = c.check_io(args.stateid, *c.current, IoKind::read); !grant) {
    co_return grant.error();
  }
  out.u32(0);
  co_return Status::ok;
}

}  // namespace outcrop::nfs::v4
