// READDIR and READDIRPLUS (RFC 1813 sections 3.3.16 and 3.3.17). "." and ".." have the cookies 1
// and 2, everything else those of the file system, which are above. The cookie verifier is 0 for
// ever: cookies outlive changes of the directory and restarts.
#include "api/nfs/v3/ops.h"

namespace outcrop::nfs::v3 {
namespace {

constexpr std::uint64_t kDotCookie = 1, kDotDotCookie = 2;
constexpr std::uint64_t kVerifier = 0;
constexpr std::size_t kMaxReplyBytes = 1 << 20;
/// Attributes of the directory, verifier, end of the list, end of the directory.
constexpr std::size_t kFrameBytes = kPostOpBytes + 8 + 4 + 4;
/// Of an entry without its name: that it follows, file id, length, cookie.
constexpr std::size_t kEntryBytes = 4 + 8 + 4 + 8;
constexpr std::size_t kPlusBytes = kPostOpBytes + 4 + 4 + kHandleBytes;

struct Request {
  ConstBytes handle;
  std::uint64_t cookie = 0, verifier = 0;
  std::size_t names_bytes = 0;  ///< dircount; of READDIR there is no such limit
  std::size_t reply_bytes = 0;  ///< count or maxcount
  bool plus = false;
};

/// Entries as they go out, until a limit is reached.
class Listing {
 public:
  Listing(const Call& call, const Target& directory, const Request& request, XdrWriter& out)
      : x_call(call),
        x_directory(directory),
        x_request(request),
        x_out(out),
        x_searchable(may(directory.actor, *directory.attributes, kMayExecute)) {}

  /// False: no room for it.
  bool add(std::string_view name, std::uint64_t cookie, const ns::FileAttributes& attributes) {
    const std::size_t names = kEntryBytes + name.size() + xdr_padding(name.size());
    const std::size_t plus = !x_request.plus ? 0 : x_searchable ? kPlusBytes : 4 + 4;
    if (kFrameBytes + x_bytes + names + plus > x_request.reply_bytes) {
      return false;
    }
    // A dircount that is too small for any entry would never get anywhere.
    if (x_request.plus && x_count > 0 && x_names + names > x_request.names_bytes) {
      return false;
    }
    x_bytes += names + plus;
    x_names += names;
    ++x_count;
    x_out.boolean(true);
    x_out.u64(attributes.id.ino);
    x_out.string(name);
    x_out.u64(cookie);
    if (x_request.plus) {
      add_plus(attributes);
    }
    return true;
  }
  std::size_t count() const { return x_count; }
  /// How many more entries fit at most.
  std::size_t room() const { return room_bytes() / (entry_bytes() + 4); }
  /// Of an entry beside its name.
  std::size_t entry_bytes() const {
    return kEntryBytes + (x_request.plus && x_searchable ? kPlusBytes : 0);
  }
  std::size_t room_bytes() const { return x_request.reply_bytes - kFrameBytes - x_bytes; }

 private:
  /// Who may not search the directory sees the names, as with ls, and nothing behind them.
  void add_plus(const ns::FileAttributes& attributes) {
    if (!x_searchable) {
      x_out.boolean(false);
      x_out.boolean(false);
      return;
    }
    const Export& on = *x_directory.on;
    write_post_op(x_out, shown(attributes, on), &on);
    x_out.boolean(true);
    write_handle(x_out, x_call, x_directory, attributes.id);
  }

  const Call& x_call;
  const Target& x_directory;
  const Request& x_request;
  XdrWriter& x_out;
  bool x_searchable;
  std::size_t x_bytes = 0, x_names = 0, x_count = 0;
};

/// "." and "..", as far as the cookie is not behind them. False: no more room.
Task<bool> add_dots(const Call& call,
                    const Target& directory,
                    std::uint64_t cookie,
                    Listing& listing) {
  if (cookie < kDotCookie && !listing.add(".", kDotCookie, *directory.attributes)) {
    co_return false;
  }
  if (cookie < kDotDotCookie) {
    const Result<ns::FileAttributes> above =
        co_await call.scope.parent(*directory.on, directory.file());
    // A directory that nothing leads to any more is its own parent.
    co_return listing.add("..", kDotDotCookie, above ? *above : *directory.attributes);
  }
  co_return true;
}

/// True at the end of the directory.
Task<bool> add_entries(const Call& call,
                       const Target& directory,
                       std::uint64_t cookie,
                       Listing& listing) {
  CO_TRY(const bool room, co_await add_dots(call, directory, cookie, listing));
  if (!room) {
    co_return false;
  }
  std::uint64_t behind = cookie <= kDotDotCookie ? 0 : cookie;
  while (listing.room() > 0) {
    CO_TRY(const ns::DirectoryPage page,
           co_await call.service.files.read_directory(directory.file(), behind, listing.room(),
                                                      listing.room_bytes(), listing.entry_bytes()));
    for (const ns::DirectoryEntry& entry : page.entries) {
      if (!listing.add(entry.name, entry.cookie, entry.attributes)) {
        co_return false;
      }
      behind = entry.cookie;
    }
    if (page.eof || page.entries.empty()) {
      co_return true;
    }
  }
  co_return false;
}

/// Status, entries and the end of the list go to `entries`.
Async<Status> list(const Call& call,
                   const Target& directory,
                   const Request& request,
                   XdrWriter& entries) {
  if (request.cookie != 0 && request.verifier != kVerifier) {
    co_return Status::bad_cookie;
  }
  if (request.reply_bytes < kFrameBytes) {
    co_return Status::toosmall;
  }
  Listing listing(call, directory, request, entries);
  const Result<bool> done = co_await add_entries(call, directory, request.cookie, listing);
  if (!done) {
    co_return to_status(done);
  }
  if (listing.count() == 0 && !*done) {
    co_return Status::toosmall;
  }
  entries.boolean(false);
  entries.boolean(*done);
  co_return Status::ok;
}

Async<Status> read_directory(const Call& call, const Request& request, XdrWriter& out) {
  Target directory;
  XdrWriter entries;
  Status status = co_await open_directory(call, request.handle, kMayRead, directory);
  if (status == Status::ok) {
    status = co_await list(call, directory, request, entries);
  }
  write_status(out, status);
  write_post_op(out, directory.attributes, directory.on.get());
  if (status == Status::ok) {
    out.u64(kVerifier);
    out.append(std::move(entries));
  }
  co_return status;
}

}  // namespace

Async<Status> op_readdir(const Call& call, XdrReader& in, XdrWriter& out) {
  Request request;
  request.handle = read_handle(in);
  request.cookie = in.u64();
  request.verifier = in.u64();
  request.reply_bytes = std::min<std::size_t>({in.u32(), kMaxReplyBytes, call.most_data});
  if (!in.done()) {
    co_return Status::garbage;
  }
  co_return co_await read_directory(call, request, out);
}

Async<Status> op_readdirplus(const Call& call, XdrReader& in, XdrWriter& out) {
  Request request;
  request.plus = true;
  request.handle = read_handle(in);
  request.cookie = in.u64();
  request.verifier = in.u64();
  request.names_bytes = in.u32();
  request.reply_bytes = std::min<std::size_t>({in.u32(), kMaxReplyBytes, call.most_data});
  if (!in.done()) {
    co_return Status::garbage;
  }
  co_return co_await read_directory(call, request, out);
}

}  // namespace outcrop::nfs::v3
