// ListMultipartUploads: an ordered walk of the upload records, by key and then by creation.
#include "storage/ns/keys.h"
#include "storage/ns/operations.h"
#include "storage/ns/upload.h"

namespace outcrop::ns {
namespace {

class UploadLister {
 public:
  UploadLister(Core& core, InodeId root, const UploadListRequest& request)
      : x_meta(core.meta), x_at(core.meta.snapshot()), x_root(root), x_request(request) {}

  Task<UploadList> run() {
    std::string lower = first();
    const std::string end = meta::prefix_end(upload_scan_prefix(x_root, x_request.prefix));
    while (!x_done && !lower.empty() && lower < end && x_request.max_uploads > 0) {
      CO_TRY(const meta::ScanPage page,
             co_await x_meta.scan({.lower = lower, .upper = end, .limit = kPage}, x_at));
      lower.clear();
      for (const auto& [key, value] : page.entries) {
        CO_TRYV(visit(key, value));
        if (x_done || !x_behind.empty()) {
          break;
        }
      }
      if (!x_behind.empty()) {
        lower = std::exchange(x_behind, {});
      } else if (page.more && !page.entries.empty()) {
        lower = page.entries.back().key + '\0';
      }
    }
    co_return std::move(x_list);
  }

 private:
  static constexpr std::size_t kPage = 256;

  std::optional<std::string> common_prefix(std::string_view key) const {
    const std::string& delimiter = x_request.delimiter;
    if (delimiter.empty() || !key.starts_with(x_request.prefix)) {
      return std::nullopt;
    }
    const std::size_t at = key.find(delimiter, x_request.prefix.size());
    return at == key.npos ? std::nullopt
                          : std::optional(std::string(key.substr(0, at + delimiter.size())));
  }

  // The first record key of the page: behind the markers.
  std::string first() const {
    const std::string start = upload_scan_prefix(x_root, x_request.prefix);
    const std::string& marker = x_request.key_marker;
    if (marker.empty()) {
      return start;
    }
    std::string after;
    if (const auto group = common_prefix(marker)) {
      after = meta::prefix_end(upload_scan_prefix(x_root, *group));
    } else if (x_request.upload_id_marker.empty()) {
      after = meta::prefix_end(upload_prefix(x_root, marker));
    } else {
      after = upload_key(x_root, marker, x_request.upload_id_marker) + '\0';
    }
    return std::max(start, after);
  }

  Result<void> visit(std::string_view key, std::string_view value) {
    auto parsed = parse_upload_key(key);
    if (!parsed) {
      return fail(Errc::corrupt, "upload key");
    }
    if (x_list.uploads.size() + x_list.common_prefixes.size() == x_request.max_uploads) {
      x_list.truncated = true;
      x_done = true;
      return ok();
    }
    if (auto group = common_prefix(parsed->key)) {
      x_list.next_key_marker = *group;
      x_list.next_upload_id_marker.clear();
      x_behind = meta::prefix_end(upload_scan_prefix(x_root, *group));
      x_list.common_prefixes.push_back(*std::move(group));
      return ok();
    }
    TRY(const UploadRecord record, decode_upload(value));
    x_list.uploads.push_back(info_of(parsed->key, parsed->upload_id, record));
    x_list.next_key_marker = std::move(parsed->key);
    x_list.next_upload_id_marker = std::move(parsed->upload_id);
    return ok();
  }

  meta::MetaStore& x_meta;
  const meta::SnapshotPtr x_at;
  const InodeId x_root;
  const UploadListRequest& x_request;
  UploadList x_list;
  std::string x_behind;  ///< where to go on behind a common prefix
  bool x_done = false;
};

}  // namespace

Task<UploadList> list_uploads(Core& core, std::string_view bucket, UploadListRequest request) {
  CO_TRY(const BucketRecord record, co_await find_bucket(core, bucket));
  UploadLister lister(core, record.root, request);
  CO_TRY(UploadList list, co_await lister.run());
  if (!list.truncated) {
    list.next_key_marker.clear();
    list.next_upload_id_marker.clear();
  }
  co_return list;
}

}  // namespace outcrop::ns
