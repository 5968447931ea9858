#include "storage/check/object_names.h"

#include <algorithm>

#include "storage/check/report.h"
#include "storage/meta/tables.h"
#include "storage/ns/inode_record.h"
#include "storage/ns/keys.h"
#include "storage/ns/upload_record.h"

namespace outcrop::check {
namespace {

constexpr unsigned kMaxDepth = 4096;

/// A part's owner has no inode record: "part 3 of an upload of ..." if it is one.
Task<std::string> name_part(meta::MetaStore& meta, InodeId ino) {
  meta::ScanRequest request{.lower = meta::table_key(meta::Table::upload_part),
                            .upper = meta::prefix_end(meta::table_key(meta::Table::upload_part))};
  for (bool more = true; more;) {
    CO_TRY(const meta::ScanPage page, co_await meta.scan(request));
    for (const auto& [key, value] : page.entries) {
      const auto part = ns::decode_part(value);
      if (key.size() == 13 && part && part->ino == ino) {
        co_return "part " + std::to_string(ns::get_be32(std::string_view(key).substr(9))) +
            " of the unfinished upload " +
            std::to_string(get_be64(std::string_view(key).substr(1)));
      }
    }
    more = page.more && !page.entries.empty();
    if (more) {
      request.lower = page.entries.back().key + '\0';
    }
  }
  co_return "inode " + std::to_string(ino) + ", which is not there";
}

}  // namespace

Task<std::string> name_inode(meta::MetaStore& meta, InodeId ino) {
  std::string path;
  bool history = false;
  InodeId at = ino;
  for (unsigned depth = 0; depth < kMaxDepth; ++depth) {
    CO_TRY(const auto stored, co_await meta.get(ns::inode_key(at)));
    if (!stored && at == ino) {
      co_return co_await name_part(meta, ino);
    }
    const auto record =
        stored ? ns::decode_inode(*stored) : Result<ns::InodeRecord>(fail(Errc::corrupt));
    if (!record || (at == ino && record->links() == 0)) {
      co_return "inode " + std::to_string(ino) + (record ? " (removed while it was open)" : "") +
          (path.empty() ? "" : " (" + quoted(".../" + path) + ")");
    }
    if (record->parent == ns::kRootOfBuckets) {
      const std::string_view kind = at == ino ? "bucket " : history ? "old version of " : "object ";
      co_return std::string(kind) + quoted(record->name + "/" + path);
    }
    history |= at == ino && record->history;
    path.insert(0, record->name);
    at = record->parent;
  }
  co_return "inode " + std::to_string(ino);
}

std::string describe_key(std::string_view key) {
  struct Form {
    meta::Table table;
    std::string_view name, first, second, third;  ///< the BE64 numbers that follow
  };
  static constexpr std::array kForms{
      Form{meta::Table::bucket, "bucket", "", "", ""},
      Form{meta::Table::dirent, "directory entry", "parent", "", ""},
      Form{meta::Table::extent_ref, "reference", "segment", "offset", "owner"},
      Form{meta::Table::identity, "identity", "", "", ""},
      Form{meta::Table::inode, "inode", "number", "", ""},
      Form{meta::Table::left_name, "name that left", "period", "directory", "cookie"},
      Form{meta::Table::link, "link", "inode", "parent", ""},
      Form{meta::Table::orphan, "orphan", "inode", "", ""},
      Form{meta::Table::segment, "segment", "id", "", ""},
      Form{meta::Table::system, "counter", "", "", ""},
      Form{meta::Table::upload, "upload", "bucket root", "", ""},
      Form{meta::Table::upload_part, "part", "upload", "", ""},
      Form{meta::Table::version, "version", "directory", "", ""},
      Form{meta::Table::xattr, "extended attribute", "inode", "", ""}};
  const auto form = std::ranges::find_if(kForms, [key](const Form& f) {
    return !key.empty() && static_cast<char>(f.table) == key.front();
  });
  if (form == kForms.end()) {
    return "record of no table: " + quoted(key);
  }
  std::string out(form->name);
  key.remove_prefix(1);
  const char* separator = ": ";
  for (const std::string_view number : {form->first, form->second, form->third}) {
    if (!number.empty() && key.size() >= sizeof(std::uint64_t)) {
      out.append(separator).append(number).append(" ").append(std::to_string(get_be64(key)));
      key.remove_prefix(sizeof(std::uint64_t));
      separator = ", ";
    }
  }
  return key.empty() ? out : out + separator + quoted(key);
}

}  // namespace outcrop::check
