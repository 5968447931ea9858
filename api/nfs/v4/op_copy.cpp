// CLONE and COPY (RFC 7862 sections 15.13 and 15.2): both by reference, always synchronous, only
// within this server.
#include "api/nfs/v4/ops.h"
#include "api/nfs/v4/status_map.h"

namespace outcrop::nfs::v4 {
namespace {

constexpr std::size_t kMaxSourceServers = 16;

struct Range {
  Stateid from_stateid, to_stateid;
  std::uint64_t from = 0, to = 0, count = 0;
};

Range read_range(XdrReader& in) {
  Range out;
  out.from_stateid = read_stateid(in);
  out.to_stateid = read_stateid(in);
  out.from = in.u64();
  out.to = in.u64();
  out.count = in.u64();
  return out;
}

/// netloc4: a name, a URL, or a network address.
void skip_netloc(XdrReader& in) {
  const std::uint32_t type = in.u32();
  if (type < 1 || type > 3) {
    in.fail();
    return;
  }
  in.opaque(kMaxRecordBytes);
  if (type == 3) {
    in.opaque(kMaxRecordBytes);
  }
}

/// Both files and their stateids; the source's attributes are read anew.
Async<Status> check_files(Compound& c, const Range& range) {
  FileRef& from = *c.saved;
  FileRef& to = *c.current;
  if (from.insecure) {
    co_return Status::wrongsec;
  }
  from.known.reset();
  for (FileRef* file : {&from, &to}) {
    if (const Status status = co_await c.load_regular(*file, Status::wrong_type);
        status != Status::ok) {
      co_return status == Status::isdir ? Status::wrong_type : status;
    }
  }
  // The saved stateid goes with the saved filehandle (RFC 7862 section 15.2.3).
  const bool use_saved = range.from_stateid == kCurrentStateid && c.saved_stateid;
  const Stateid source = use_saved ? *c.saved_stateid : range.from_stateid;
  const Outcome<IoGrant> reading = c.check_io(source, from, IoKind::read);
  if (!reading) {
    co_return reading.error();
  }
  const Outcome<IoGrant> writing = c.check_io(range.to_stateid, to, IoKind::write);
  co_return writing ? Status::ok : writing.error();
}

bool overlaps(std::uint64_t a, std::uint64_t b, std::uint64_t length) {
  return a < b + length && b < a + length;
}

/// inval: the source does not have the range, or it overlaps with the target in one file.
Status check_ranges(const Compound& c, const Range& range, std::uint64_t length) {
  const std::uint64_t size = c.saved->known->size;
  if (range.from > size || length > size - range.from) {
    return Status::inval;
  }
  if (range.to > kMaxFileSize || length > kMaxFileSize - range.to) {
    return Status::fbig;
  }
  const bool same = c.saved->file() == c.current->file();
  return same && overlaps(range.from, range.to, length) ? Status::inval : Status::ok;
}

/// `count` 0: to the end of the source as it is now.
std::uint64_t effective(const Compound& c, const Range& range) {
  const std::uint64_t size = c.saved->known->size;
  return range.count == 0 ? size - std::min(range.from, size) : range.count;
}

Async<Status> clone_range(Compound& c, const Range& range, std::uint64_t length) {
  if (length == 0) {
    co_return Status::ok;
  }
  const Result<std::uint64_t> done =
      co_await c.files().clone(c.saved->file(), range.from, c.current->file(), range.to, length);
  c.current->known.reset();
  co_return done ? Status::ok : to_status(done.error());
}

}  // namespace

Async<Status> op_clone(Compound& c, XdrReader& in, XdrWriter&) {
  const Range range = read_range(in);
  if (!in.ok()) {
    co_return Status::badxdr;
  }
  Status status = co_await check_files(c, range);
  if (status != Status::ok) {
    co_return status;
  }
  const std::uint64_t length = effective(c, range);
  status = check_ranges(c, range, length);
  co_return status == Status::ok ? co_await clone_range(c, range, length) : status;
}

Async<Status> op_copy(Compound& c, XdrReader& in, XdrWriter& out) {
  const Range range = read_range(in);
  const bool consecutive = in.boolean();
  const bool synchronous = in.boolean();
  const std::size_t servers = in.count(kMaxSourceServers, 8);
  for (std::size_t i = 0; i < servers; ++i) {
    skip_netloc(in);
  }
  static_cast<void>(consecutive);  // a clone is consecutive and synchronous in any case
  static_cast<void>(synchronous);
  if (!in.ok()) {
    co_return Status::badxdr;
  }
  if (servers > 0) {
    co_return Status::notsupp;
  }
  Status status = co_await check_files(c, range);
  if (status != Status::ok) {
    co_return status;
  }
  std::uint64_t length = effective(c, range);
  if (range.count != 0 && range.from <= c.saved->known->size) {
    length = std::min(length, c.saved->known->size - range.from);  // a short copy is a success
  }
  status = check_ranges(c, range, length);
  if (status == Status::ok) {
    status = co_await clone_range(c, range, length);
  }
  if (status != Status::ok) {
    co_return status;
  }
  // Like a clone: durable with its own commit.
  out.u32(0);  // no callback: it is done
  out.u64(length);
  out.u32(2);  // FILE_SYNC4
  out.fixed_opaque(c.core.write_verifier());
  out.boolean(true);
  out.boolean(true);
  co_return Status::ok;
}

}  // namespace outcrop::nfs::v4
