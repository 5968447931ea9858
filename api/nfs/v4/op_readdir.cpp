// READDIR (RFC 8881 section 18.23): entries with attributes, of the store and of the pseudo file
// system.
#include "api/nfs/v4/ops.h"
#include "api/nfs/v4/status_map.h"

namespace outcrop::nfs::v4 {
namespace {

constexpr std::size_t kFixedBytes = 8 + 4 + 4;  ///< cookieverf, end of the list, eof
constexpr std::size_t kEntryBytes = 4 + 8 + 4;  ///< follows, cookie, length of the name
constexpr std::size_t kLeastNameBytes = 4;
constexpr std::size_t kMaxReplyBytes = 1 << 20;
constexpr std::size_t kMaxPage = 1024;         ///< entries asked of the store at once
constexpr std::uint64_t kReservedCookies = 2;  ///< 1 and 2 are never given out

struct Arguments {
  std::uint64_t cookie = 0, verifier = 0;
  std::uint32_t dircount = 0, maxcount = 0;
  AttributeSet wanted;
};

/// Writes entries while they fit.
struct Page {
  XdrWriter& out;
  std::size_t limit = 0;  ///< of out.size(), without the end of the list
  std::size_t names_left = 0;
  std::size_t entries = 0;

  /// False: it did not fit and was not written.
  bool add(std::uint64_t cookie,
           std::string_view name,
           const AttributeSet& wanted,
           const AttributeSource& from) {
    const XdrWriter::Mark before = out.mark();
    out.boolean(true);
    out.u64(cookie);
    out.string(name);
    write_attributes(out, wanted, from);
    const std::size_t cost = kEntryBytes + name.size();
    if (out.size() > limit || (cost > names_left && entries > 0)) {
      out.rewind(before);
      return false;
    }
    names_left -= std::min(cost, names_left);
    ++entries;
    return true;
  }
};

/// An entry of which only the name is known: what is wrong goes into rdattr_error, if wanted.
AttributeSource failed_source(Status status, unsigned minor) {
  AttributeSource out;
  out.minor = minor;
  out.rdattr_error = status;
  return out;
}

constexpr AttributeSet kOnlyError{Attribute::rdattr_error};

/// An export below a pseudo directory, seen from above.
Async<Status> junction_source(Compound& c,
                              const PseudoNode& node,
                              const AttributeSet& wanted,
                              AttributeSource& source) {
  if (wanted.empty()) {
    source.minor = c.minor;
    co_return Status::ok;  // its name is no secret
  }
  FileRef root;
  Status status = co_await c.export_root(node.junction, root);
  if (status == Status::ok && root.insecure) {
    status = Status::wrongsec;
  }
  if (status == Status::ok) {
    status = co_await c.fill(root, wanted, source);
  }
  co_return status;
}

Async<Status> list_pseudo(Compound& c, const Arguments& args, Page& page, bool& eof) {
  const PseudoNode* directory = c.pseudo().find(c.current->handle.file.ino);
  if (directory == nullptr) {
    co_return Status::stale;
  }
  std::map<PseudoId, const PseudoNode*> nodes;  // cookies are node ids
  for (const auto& [name, id] : directory->children) {
    const PseudoNode* node = c.pseudo().find(id);
    if (id > args.cookie && c.pseudo().visible(*node, c.peer.address)) {
      nodes[id] = node;
    }
  }
  eof = true;
  for (const auto& [id, node] : nodes) {
    AttributeSource source;
    AttributeSet wanted = args.wanted;
    if (node->junction && node->junction->allows(c.peer.address)) {
      const Status status = co_await junction_source(c, *node, wanted, source);
      if (status != Status::ok) {
        if (!wanted.has(Attribute::rdattr_error)) {
          co_return status;
        }
        source = failed_source(status, c.minor);
        wanted = kOnlyError;
      }
    } else {
      FileRef ref = c.pseudo_ref(*node);
      if (const Status status = co_await c.fill(ref, wanted, source); status != Status::ok) {
        co_return status;
      }
    }
    if (!page.add(id, node->name, wanted, source)) {
      eof = false;
      break;
    }
  }
  co_return Status::ok;
}

/// Everything of an entry's source that is the same for all entries of a directory.
Async<Status> directory_source(Compound& c, const AttributeSet& wanted, AttributeSource& out) {
  AttributeSet shared = wanted;
  shared.remove(Attribute::mounted_on_fileid);
  co_return co_await c.fill(*c.current, shared, out);
}

/// What an entry takes beside its name, at least: an entry more than fits is read and thrown away.
std::size_t least_entry_bytes(const AttributeSet& wanted, AttributeSource like) {
  like.file.uid = like.file.gid = 0;
  XdrWriter sample;
  write_attributes(sample, wanted, like);
  return kEntryBytes + sample.size();
}

Async<Status> list_files(Compound& c, const Arguments& args, Page& page, bool& eof) {
  AttributeSource source;
  if (const Status status = co_await directory_source(c, args.wanted, source);
      status != Status::ok) {
    co_return status;
  }
  const FileRef& directory = *c.current;
  std::uint64_t cookie = args.cookie;
  const bool handles = args.wanted.has(Attribute::filehandle);
  const std::size_t entry_bytes = least_entry_bytes(args.wanted, source);
  for (eof = false; !eof;) {
    const std::size_t room = page.limit - std::min(page.limit, page.out.size());
    const std::size_t entries = std::min(room / (entry_bytes + kLeastNameBytes) + 1, kMaxPage);
    const Result<ns::DirectoryPage> got =
        co_await c.files().read_directory(directory.file(), cookie, entries, room, entry_bytes);
    if (!got) {
      co_return to_status(got.error());
    }
    for (const ns::DirectoryEntry& entry : got->entries) {
      source.file = shown(entry.attributes, *directory.on);
      source.mounted_on = source.file.id.ino;
      if (handles) {
        source.handle = c.core.service.handles.seal(
            {.export_id = directory.on->id, .file = entry.attributes.id});
      }
      if (!page.add(entry.cookie, entry.name, args.wanted, source)) {
        co_return Status::ok;
      }
      cookie = entry.cookie;
    }
    eof = got->eof || got->entries.empty();
  }
  co_return Status::ok;
}

Status check_arguments(const Compound& c, const Arguments& args) {
  if (args.wanted.has_any(write_only_attributes() & supported_attributes(c.minor))) {
    return Status::inval;
  }
  if (args.cookie != 0 && args.cookie <= kReservedCookies) {
    return Status::bad_cookie;
  }
  // Cookies stay good for ever: the verifier is always zero.
  if (args.cookie != 0 && args.verifier != 0) {
    return Status::not_same;
  }
  return args.maxcount < kFixedBytes ? Status::toosmall : Status::ok;
}

}  // namespace

Async<Status> op_readdir(Compound& c, XdrReader& in, XdrWriter& out) {
  Arguments args;
  args.cookie = in.u64();
  args.verifier = in.u64();
  args.dircount = in.u32();
  args.maxcount = in.u32();
  args.wanted = AttributeSet::read(in);
  if (!in.ok()) {
    co_return Status::badxdr;
  }
  Status status = co_await c.load_directory(*c.current, kMayRead);
  status =
      first_error(status == Status::symlink ? Status::notdir : status, check_arguments(c, args));
  if (status != Status::ok) {
    co_return status;
  }
  const std::size_t asked =
      std::min<std::size_t>({args.maxcount, kMaxReplyBytes, c.room_for_data(out)});
  const std::size_t end = std::min(out.size() + asked, c.reply_limit);
  if (end < out.size() + kFixedBytes) {
    co_return c.too_big;
  }
  Page page{.out = out,
            .limit = end - (kFixedBytes - 8),
            .names_left = args.dircount == 0 ? SIZE_MAX : args.dircount};
  out.u64(0);
  bool eof = false;
  status = c.current->pseudo() ? co_await list_pseudo(c, args, page, eof)
                               : co_await list_files(c, args, page, eof);
  if (status == Status::ok && page.entries == 0 && !eof) {
    status = Status::toosmall;
  }
  out.boolean(false);
  out.boolean(eof);
  co_return status;
}

}  // namespace outcrop::nfs::v4
