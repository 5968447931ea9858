#include "storage/ns/keys.h"

#include <bit>
#include <cstring>

#include "storage/base/assert.h"
#include "storage/base/codec.h"

namespace outcrop::ns {
namespace {

using meta::Table;
// Behind NUL, where an escaped name ends: below the 0xff of an escaped NUL, so that names sort as
// their bytes do.
constexpr char kNameEnd = 1;
constexpr std::size_t kInoEnd = 1 + sizeof(InodeId);

std::string start(Table table) { return std::string(1, static_cast<char>(table)); }

std::string ino_key(Table table, InodeId ino) {
  std::string key = start(table);
  put_be64(key, ino);
  return key;
}

// NUL becomes 00 ff and the end of an object key is a bare 00: an id starts with a hex digit, so
// keys sort as their bytes do and no key is a prefix of another's.
void put_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    out.push_back(c);
    if (c == '\0') {
      out.push_back('\xff');
    }
  }
}

}  // namespace

void put_be32(std::string& out, std::uint32_t v) {
  v = std::byteswap(v);
  out.append(reinterpret_cast<const char*>(&v), sizeof v);
}

std::uint32_t get_be32(std::string_view in) {
  OUTCROP_ASSERT(in.size() >= sizeof(std::uint32_t));
  std::uint32_t v = 0;
  std::memcpy(&v, in.data(), sizeof v);
  return std::byteswap(v);
}

std::string bucket_key(std::string_view name) { return meta::table_key(Table::bucket, name); }

std::string dirent_key(InodeId parent, std::string_view name) {
  std::string key;
  key.reserve(kInoEnd + name.size());
  key.push_back(static_cast<char>(Table::dirent));
  put_be64(key, parent);
  key.append(name);
  return key;
}

std::string dirent_end(InodeId parent) { return ino_key(Table::dirent, parent + 1); }

std::string_view dirent_name(std::string_view key) {
  OUTCROP_ASSERT(key.size() >= kInoEnd);
  return key.substr(kInoEnd);
}

std::string inode_key(InodeId ino) { return ino_key(Table::inode, ino); }

std::string inode_tail_key(InodeId ino, std::uint32_t index) {
  std::string key = inode_key(ino);
  put_be32(key, index);
  return key;
}

std::string part_key(InodeId upload, std::uint32_t number) {
  std::string key = ino_key(Table::upload_part, upload);
  put_be32(key, number);
  return key;
}

std::string part_tail_key(InodeId upload, std::uint32_t number, std::uint32_t index) {
  std::string key = part_key(upload, number);
  put_be32(key, index);
  return key;
}

std::string part_end(InodeId upload) { return ino_key(Table::upload_part, upload + 1); }

std::string upload_scan_prefix(InodeId root, std::string_view prefix) {
  std::string key = ino_key(Table::upload, root);
  put_escaped(key, prefix);
  return key;
}

std::string upload_prefix(InodeId root, std::string_view key) {
  std::string out = upload_scan_prefix(root, key);
  out.push_back('\0');
  return out;
}

std::string upload_key(InodeId root, std::string_view key, std::string_view upload_id) {
  return upload_prefix(root, key).append(upload_id);
}

std::string link_prefix(InodeId ino) { return ino_key(Table::link, ino); }

std::string link_key(InodeId ino, InodeId parent, std::string_view name) {
  std::string key = link_prefix(ino);
  put_be64(key, parent);
  return key.append(name);
}

std::string cookie_key(std::uint64_t cookie) { return ino_key(Table::link, cookie); }

std::string left_key(std::uint64_t period, InodeId directory, std::uint64_t cookie) {
  std::string key = left_period(period);
  put_be64(key, directory);
  put_be64(key, cookie);
  return key;
}

std::string left_period(std::uint64_t period) { return ino_key(Table::left_name, period); }

std::string orphan_key(InodeId ino) { return ino_key(Table::orphan, ino); }

std::string xattr_key(InodeId ino, std::string_view name) {
  return ino_key(Table::xattr, ino).append(name);
}

std::string version_end(InodeId directory) { return ino_key(Table::version, directory + 1); }

namespace {
std::string version_name(InodeId directory, std::string_view name) {
  std::string key = ino_key(Table::version, directory);
  put_escaped(key, name);
  key.push_back('\0');
  key.push_back(kNameEnd);
  return key;
}

std::string kind_key(InodeId directory, std::string_view name, VersionKind kind) {
  std::string key = version_name(directory, name);
  key.push_back(static_cast<char>(kind));
  return key;
}
}  // namespace

std::string version_prefix(InodeId directory, std::string_view name) {
  return kind_key(directory, name, VersionKind::version);
}

std::string version_key(InodeId directory, std::string_view name, std::uint64_t number) {
  std::string key = version_prefix(directory, name);
  put_be64(key, ~number);
  return key;
}

std::string null_version_key(InodeId directory, std::string_view name) {
  return kind_key(directory, name, VersionKind::null);
}

std::string history_directory_key(InodeId directory, std::string_view name) {
  return kind_key(directory, name, VersionKind::directory);
}

std::optional<VersionKey> parse_version_key(std::string_view raw) {
  if (raw.size() < kInoEnd || raw[0] != static_cast<char>(Table::version)) {
    return std::nullopt;
  }
  VersionKey out{.directory = get_be64(raw.substr(1)), .name = {}};
  std::size_t i = kInoEnd;
  for (; i < raw.size() && (raw[i] != '\0' || raw.substr(i + 1, 1) == "\xff"); ++i) {
    out.name.push_back(raw[i]);
    i += raw[i] == '\0' ? 1 : 0;
  }
  const std::string_view rest = raw.substr(std::min(i, raw.size()));
  if (rest.size() < 3 || rest[1] != kNameEnd) {
    return std::nullopt;
  }
  out.kind = static_cast<VersionKind>(rest[2]);
  if (out.kind == VersionKind::version && rest.size() == 3 + sizeof out.number) {
    out.number = ~get_be64(rest.substr(3));
    return out;
  }
  const bool known = out.kind == VersionKind::null || out.kind == VersionKind::directory;
  return known && rest.size() == 3 ? std::optional(std::move(out)) : std::nullopt;
}

std::optional<UploadKey> parse_upload_key(std::string_view raw) {
  if (raw.size() < kInoEnd || raw[0] != static_cast<char>(Table::upload)) {
    return std::nullopt;
  }
  UploadKey out{.root = get_be64(raw.substr(1)), .key = {}, .upload_id = {}};
  for (std::size_t i = kInoEnd; i < raw.size(); ++i) {
    if (raw[i] != '\0') {
      out.key.push_back(raw[i]);
    } else if (i + 1 < raw.size() && raw[i + 1] == '\xff') {
      out.key.push_back('\0');
      ++i;
    } else {
      out.upload_id = raw.substr(i + 1);
      return out;
    }
  }
  return std::nullopt;
}

}  // namespace outcrop::ns
