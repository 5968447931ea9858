// One operation of a client of either protocol as a value, and what it was answered: what the
// cross-protocol model test draws, does and judges. Plain data; copied freely.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "storage/base/error.h"
#include "storage/ns/file_system.h"
#include "storage/ns/types.h"

namespace outcrop::test {

enum class OpKind : std::uint8_t {
  // S3, by key.
  put,
  get,
  stat,
  remove_key,
  copy,
  rename_key,
  list,
  open_reader,   ///< a GET that goes on while others write
  check_reader,  ///< and its end: `slot`
  create_upload,
  put_part,
  copy_part,
  complete,
  abort,
  // Files, by inode.
  lookup,
  parent,
  read_directory,
  create,
  mkdir,
  symlink,
  read_symlink,
  link,
  remove,
  rename,
  read,
  write,
  commit,
  get_attributes,
  set_attributes,
  allocate,
  deallocate,
  seek,
  clone,
  set_xattr,
  get_xattr,
  remove_xattr,
  list_xattrs,
  hold,
  release,  ///< `slot`
  reap,
  flush,    ///< everything, as before a clean stop
  tick,     ///< the background pass
  restart,  ///< a clean stop and a start
  crash,    ///< a start without the stop
};

struct Op {
  OpKind kind = OpKind::stat;
  std::string key{}, key2{};  ///< key2: where to
  ns::FileId file{}, other{};
  std::string name{}, name2{};  ///< of entries; name2: where to, a symlink's target, or a value
  std::string data{};
  std::uint64_t offset = 0, offset2 = 0, length = 0;
  std::uint32_t number = 0;  ///< of a part
  unsigned slot = 0;         ///< a reader or a hold of a client
  bool flag = false;         ///< stable; data (seek)
  ns::ObjectAttributes attributes{};
  std::optional<ns::ObjectAttributes> replace{};
  digest::Checksum checksum{};
  std::string etag{};
  ns::Conditions conditions{}, source_conditions{};
  ns::ListRequest list{};
  std::string upload{};
  std::vector<ns::CompletePart> parts{};
  ns::CreateRequest create{};
  ns::SetAttributes set{};
  std::optional<std::int64_t> guard{};
  ns::RemoveKind how = ns::RemoveKind::any;
  ns::FileSystem::XattrMode mode = ns::FileSystem::XattrMode::either;
};

/// An object as a reader showed it.
struct ReadObject {
  ns::ObjectInfo info;
  std::string data;
};

struct Answer {
  std::optional<Errc> error{};
  std::string detail{};
  std::int64_t from_ns = 0, to_ns = 0;  ///< the call lay between these
  /// Rightly, because of versions that no S3 client can delete: their paths are too long for keys.
  bool refused = false;
  bool prepared = false;  ///< versions had to go first: directories have moved more than once
  std::variant<std::monostate,
               bool,
               std::uint64_t,
               std::string,
               std::vector<std::string>,
               ns::ObjectInfo,
               ReadObject,
               ns::ListPage,
               ns::UploadInfo,
               ns::PartInfo,
               ns::FileAttributes,
               ns::DirectoryPage,
               ns::Created,
               ns::Removed,
               ns::Renamed,
               ns::ReadResult,
               ns::WriteResult,
               ns::SeekResult>
      value{};

  template <class T>
  const T& as() const {
    return std::get<T>(value);
  }
};

std::string hex_md5(std::string_view data);

/// For the trace: one line.
std::string describe(const Op& op);
std::string describe(const Answer& answer);

}  // namespace outcrop::test
