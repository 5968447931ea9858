// The file view: extended attributes. Those that S3 knows (user metadata, Content-Type) are the
// object's own; all others are records beside the inode, and S3 does not see them.
#include <algorithm>

#include "storage/ns/fs_entry.h"
#include "storage/ns/fs_operations.h"
#include "storage/ns/keys.h"
#include "storage/ns/operations.h"

namespace outcrop::ns {
namespace {

constexpr std::string_view kUser = "user.";
constexpr std::string_view kS3 = "user.s3.";
constexpr std::string_view kS3Meta = "user.s3.meta.";
constexpr std::string_view kS3ContentType = "user.s3.content-type";
// What S3 allows of user metadata: names and values together.
constexpr std::size_t kMaxUserMetaBytes = 2048;

enum class Kind { stored, content_type, user_meta };

struct XattrName {
  Kind kind = Kind::stored;
  std::string_view text;  ///< of user metadata, its name there
};

// A name that goes into an HTTP header: RFC 9110 section 5.1, in lower case.
bool is_header_name(std::string_view name) {
  constexpr std::string_view kToken = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz";
  return !name.empty() && name.find_first_not_of(kToken) == name.npos;
}

bool is_header_value(std::string_view value) {
  return std::ranges::none_of(value, [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return (u < 0x20 && c != '\t') || u == 0x7f;
  });
}

Result<XattrName> parse_name(std::string_view name, InodeType type) {
  if (name.size() > kMaxXattrNameBytes) {
    return fail(Errc::name_too_long);
  }
  if (!name.starts_with(kUser) || name.size() == kUser.size() || name.find('\0') != name.npos) {
    return fail(Errc::invalid_argument, "extended attribute name");
  }
  if (!name.starts_with(kS3)) {
    return XattrName{Kind::stored, name};
  }
  const std::string_view meta = name.substr(std::min(name.size(), kS3Meta.size()));
  const bool is_meta = name.starts_with(kS3Meta) && is_header_name(meta);
  if (type != InodeType::file || (!is_meta && name != kS3ContentType)) {
    return fail(Errc::invalid_argument, "no such S3 attribute");
  }
  return is_meta ? XattrName{Kind::user_meta, meta} : XattrName{Kind::content_type, name};
}

// Where the object keeps it; null if it does not have it. Not for stored ones.
std::string* find_own(ObjectAttributes& attributes, const XattrName& name) {
  if (name.kind == Kind::content_type) {
    return attributes.content_type.empty() ? nullptr : &attributes.content_type;
  }
  const auto it = std::ranges::find(attributes.user_meta, name.text,
                                    &std::pair<std::string, std::string>::first);
  return it == attributes.user_meta.end() ? nullptr : &it->second;
}

Result<void> put_own(ObjectAttributes& attributes, const XattrName& name, std::string_view value) {
  if (!is_header_value(value) || (name.kind == Kind::content_type && value.empty())) {
    return fail(Errc::invalid_argument, "not a header value");
  }
  if (name.kind == Kind::content_type) {
    attributes.content_type = value;
  } else if (std::string* own = find_own(attributes, name)) {
    *own = value;
  } else {
    attributes.user_meta.emplace_back(name.text, value);
  }
  std::size_t bytes = 0;
  for (const auto& [key, text] : attributes.user_meta) {
    bytes += key.size() + text.size();
  }
  if (bytes > kMaxUserMetaBytes || !check_attributes(attributes)) {
    return fail(Errc::entity_too_large, "S3 metadata");
  }
  return ok();
}

void erase_own(ObjectAttributes& attributes, const XattrName& name) {
  if (name.kind == Kind::content_type) {
    attributes.content_type.clear();
  } else {
    std::erase_if(attributes.user_meta, [&](const auto& pair) { return pair.first == name.text; });
  }
}

struct ChangeOp {
  FileId id;
  std::string_view name;
  std::optional<std::string_view> value;  ///< none: remove
  FileSystem::XattrMode mode = FileSystem::XattrMode::either;
};

Result<void> check_mode(const ChangeOp& op, bool exists) {
  if (op.value && op.mode == FileSystem::XattrMode::create && exists) {
    return fail(Errc::already_exists);
  }
  const bool needs = !op.value || op.mode == FileSystem::XattrMode::replace;
  return needs && !exists ? fail(Errc::no_xattr) : ok();
}

Task<> change_stored(Core& core, Transaction& tx, const ChangeOp& op, Object& object) {
  const std::string key = xattr_key(object.ino, op.name);
  CO_TRY(const auto before, co_await core.meta.get(key));
  CO_TRYV(check_mode(op, before.has_value()));
  std::size_t total = ensure_posix(object.record).xattr_bytes;
  if (before) {
    total -= std::min(total, op.name.size() + before->size());
  }
  if (op.value) {
    total += op.name.size() + op.value->size();
    if (total > kMaxXattrBytes) {
      co_return fail(Errc::no_space, "extended attributes of one inode");
    }
    tx.batch.put(key, std::string(*op.value));
  } else {
    tx.batch.erase(key);
  }
  object.record.posix->xattr_bytes = static_cast<std::uint32_t>(total);
  co_return ok();
}

Task<> change(
    Core& core, Transaction& tx, const ChangeOp& op, const XattrName& name, Object& object) {
  if (name.kind == Kind::stored) {
    co_return co_await change_stored(core, tx, op, object);
  }
  ObjectAttributes& attributes = object.record.attributes;
  CO_TRYV(check_mode(op, find_own(attributes, name) != nullptr));
  if (op.value) {
    CO_TRYV(put_own(attributes, name, *op.value));
  } else {
    erase_own(attributes, name);
  }
  co_return ok();
}

// Empty: the plan was outrun.
Task<std::optional<FileAttributes>> try_change(Core& core, const ChangeOp& op) {
  CO_TRY(const FoundInode found, co_await find_inode(core, op.id));
  const InodeType type = found.object->record.type;
  CO_TRY(const XattrName name, parse_name(op.name, type));
  const bool directory = type == InodeType::directory;
  std::vector<ImplicitDirectory> implicit;
  LockPlan locks;
  lock_bucket_shared(locks, op.id.root);
  locks.add(inode_lock(op.id.ino), LockMode::exclusive);
  if (directory) {
    locks.add(dir_lock(op.id.ino), LockMode::shared);
    CO_TRY(implicit, co_await find_implicit(core, op.id));
    lock_implicit(locks, implicit);
  }
  CO_TRY(const LockTable::Held held, co_await core.locks.acquire(std::move(locks)));
  CO_TRY(const ObjectPtr before, co_await load_inode(core, op.id));
  if (directory) {
    CO_TRY(const auto now, co_await find_implicit(core, op.id));
    if (now != implicit) {
      co_return std::nullopt;
    }
  }
  Object object = *before;
  Transaction tx(core);
  CO_TRYV(co_await change(core, tx, op, name, object));
  ensure_posix(object.record);
  mark_changed(core, object.record, core.clock.wall_ns());
  CO_TRYV(co_await make_explicit(core, tx, op.id.root, implicit, op.id.ino));
  tx.put_main(object);
  CO_TRYV(co_await tx.commit());
  if (directory) {
    core.times.change(op.id.root, op.id.ino, object.record, core.clock.wall_ns());
  }
  co_return attributes_of(core, object);
}

Task<FileAttributes> run(Core& core, const ChangeOp& op) {
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    CO_TRY(const auto done, co_await try_change(core, op));
    if (done) {
      co_return *done;
    }
  }
  co_return outrun();
}

}  // namespace

Task<std::string> get_xattr(Core& core, FileId file, std::string_view name) {
  CO_TRY(const FoundInode found, co_await find_inode(core, file));
  CO_TRY(const XattrName parsed, parse_name(name, found.object->record.type));
  if (parsed.kind == Kind::stored) {
    if (!found.object->record.posix || found.object->record.posix->xattr_bytes == 0) {
      co_return fail(Errc::no_xattr);
    }
    CO_TRY(auto value, co_await core.meta.get(xattr_key(file.ino, name)));
    if (!value) {
      co_return fail(Errc::no_xattr);
    }
    co_return *std::move(value);
  }
  ObjectAttributes attributes = found.object->record.attributes;
  const std::string* own = find_own(attributes, parsed);
  if (!own) {
    co_return fail(Errc::no_xattr);
  }
  co_return *own;
}

Task<FileAttributes> set_xattr(Core& core,
                               FileId file,
                               std::string_view name,
                               std::string_view value,
                               FileSystem::XattrMode mode) {
  if (value.size() > kMaxXattrValueBytes) {
    co_return fail(Errc::entity_too_large, "extended attribute value");
  }
  CO_TRYV(core.check_room());
  co_return co_await run(core, {.id = file, .name = name, .value = value, .mode = mode});
}

Task<FileAttributes> remove_xattr(Core& core, FileId file, std::string_view name) {
  co_return co_await run(core, {.id = file, .name = name, .value = std::nullopt});
}

Task<std::vector<std::string>> list_xattrs(Core& core, FileId file) {
  CO_TRY(const FoundInode found, co_await find_inode(core, file));
  const InodeRecord& record = found.object->record;
  std::vector<std::string> out;
  if (!record.attributes.content_type.empty()) {
    out.emplace_back(kS3ContentType);
  }
  for (const auto& [name, value] : record.attributes.user_meta) {
    out.push_back(std::string(kS3Meta).append(name));
  }
  CO_TRY(const auto stored, co_await xattr_names(core, *found.object));
  out.insert(out.end(), stored.begin(), stored.end());
  std::ranges::sort(out);
  co_return out;
}

}  // namespace outcrop::ns
