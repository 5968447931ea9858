#include "storage/ns/upload.h"

#include "storage/ns/keys.h"
#include "storage/ns/operations.h"
#include "storage/ns/place.h"

namespace outcrop::ns {
namespace {

constexpr std::size_t kPartPage = 1000;
// Parts released per transaction: their reference records stay well below meta::kMaxBatchBytes.
constexpr std::size_t kMutationsPerBatch = 20'000;

void put_hex(std::string& out, std::uint64_t v) {
  for (int shift = 60; shift >= 0; shift -= 4) {
    out.push_back("0123456789abcdef"[v >> shift & 15]);
  }
}

// Parts go first and in steps, the upload last: a crash in between leaves an upload with fewer
// parts, and nothing without an owner.
Task<> erase_upload(Core& core, InodeId root, InodeId ino, std::string record_key) {
  std::uint32_t after = 0;
  for (;;) {
    CO_TRY(const auto parts, co_await load_parts(core, ino, after, kPartPage));
    Transaction tx(core);
    bool all = parts.size() < kPartPage;
    for (const Part& part : parts) {
      erase_part(tx, root, ino, part);
      after = part.number;
      if (tx.batch.mutations.size() > kMutationsPerBatch) {
        all = false;
        break;
      }
    }
    if (all) {
      tx.batch.erase(std::move(record_key));
    }
    CO_TRYV(co_await tx.commit());
    if (all) {
      co_return ok();
    }
  }
}

// Empty: the plan was outrun.
Task<std::optional<bool>> try_abort(Core& core,
                                    std::string_view bucket,
                                    std::string_view key,
                                    std::string_view upload_id) {
  CO_TRY(const Upload upload, co_await find_upload(core, bucket, key, upload_id));
  LockPlan locks;
  lock_bucket_shared(locks, upload.bucket.root);
  locks.add(upload_lock(upload.record.ino), LockMode::exclusive);
  CO_TRY(const LockTable::Held held, co_await core.locks.acquire(std::move(locks)));
  CO_TRY(const bool confirmed, co_await confirm_upload(core, bucket, key, upload_id, upload));
  if (!confirmed) {
    co_return std::nullopt;
  }
  const InodeId root = upload.bucket.root;
  CO_TRYV(co_await erase_upload(core, root, upload.record.ino, upload_key(root, key, upload_id)));
  co_return true;
}

Task<std::optional<bool>> try_create(Core& core,
                                     std::string_view bucket,
                                     std::string_view key,
                                     std::string_view upload_id,
                                     const UploadRecord& record) {
  CO_TRY(const BucketRecord found, co_await find_bucket(core, bucket));
  LockPlan locks;
  lock_bucket_shared(locks, found.root);
  CO_TRY(const LockTable::Held held, co_await core.locks.acquire(std::move(locks)));
  const auto now = co_await find_bucket(core, bucket);
  if (!now || now->root != found.root) {
    co_return std::nullopt;
  }
  Transaction tx(core);
  tx.batch.put(upload_key(found.root, key, upload_id), encode(record));
  CO_TRYV(co_await tx.commit());
  co_return true;
}

}  // namespace

Task<Upload> find_upload(Core& core,
                         std::string_view bucket,
                         std::string_view key,
                         std::string_view upload_id) {
  Upload out;
  CO_TRY(out.bucket, co_await find_bucket(core, bucket));
  const auto value = co_await core.meta.get(upload_key(out.bucket.root, key, upload_id));
  if (!value) {
    co_return fail(value.error());
  }
  if (!*value) {
    co_return fail(Errc::no_such_upload);
  }
  CO_TRY(out.record, decode_upload(**value));
  co_return out;
}

Task<bool> confirm_upload(Core& core,
                          std::string_view bucket,
                          std::string_view key,
                          std::string_view upload_id,
                          const Upload& upload) {
  const auto now = co_await find_upload(core, bucket, key, upload_id);
  co_return now && now->bucket.root == upload.bucket.root && now->record.ino == upload.record.ino;
}

UploadInfo info_of(std::string_view key, std::string_view upload_id, const UploadRecord& record) {
  return {.key = std::string(key),
          .upload_id = std::string(upload_id),
          .created_ns = record.created_ns,
          .attributes = record.attributes,
          .checksum_algorithm = record.checksum_algorithm,
          .checksum_type = record.checksum_type};
}

PartInfo info_of(const Part& part) {
  return {.number = part.number,
          .size = part.record.size,
          .mtime_ns = part.record.mtime_ns,
          .etag = part.record.etag,
          .checksum = part.record.checksum};
}

Task<std::vector<Part>> load_parts(
    Core& core, InodeId upload, std::uint32_t after, std::size_t max, meta::SnapshotPtr at) {
  std::vector<Part> out;
  const std::size_t main_key_bytes = part_key(upload, 0).size();
  std::uint32_t tails_left = 0;
  // The least key behind everything of part `after`: its continuation records are longer keys.
  meta::ScanRequest request{.lower = part_key(upload, after + 1), .upper = part_end(upload)};
  request.limit = std::min<std::size_t>(max, kPartPage) + 1;
  for (bool more = true; more;) {
    CO_TRY(const meta::ScanPage page, co_await core.meta.scan(request, at));
    for (const auto& [key, value] : page.entries) {
      if (key.size() == main_key_bytes) {
        if (out.size() == max) {
          co_return out;
        }
        CO_TRY(PartRecord record, decode_part(value));
        tails_left = record.tails;
        out.push_back(
            {get_be32(std::string_view(key).substr(main_key_bytes - 4)), std::move(record)});
      } else if (out.empty() || tails_left-- == 0 || !append_tail(value, out.back().record.lists)) {
        co_return fail(Errc::corrupt, "part continuation record");
      }
    }
    more = page.more && !page.entries.empty();
    if (more) {
      request.lower = page.entries.back().key + '\0';
    }
  }
  if (tails_left > 0) {
    co_return fail(Errc::corrupt, "part continuation record missing");
  }
  co_return out;
}

void put_part(
    Transaction& tx, InodeId root, InodeId upload, const Part& part, const Part* previous) {
  const bool same_owner = previous && previous->record.ino == part.record.ino;
  tx.count(root, usage_of(part.record));
  if (same_owner) {
    tx.rewrite_refs(part.record.ino, previous->record.lists.pieces, part.record.lists.pieces);
  } else {
    tx.put_refs(part.record.ino, part.record.lists.pieces);
  }
  EncodedRecord encoded = encode(part.record);
  tx.batch.put(part_key(upload, part.number), std::move(encoded.main));
  for (std::uint32_t i = 0; i < encoded.tails.size(); ++i) {
    tx.batch.put(part_tail_key(upload, part.number, i), std::move(encoded.tails[i]));
  }
  if (previous) {
    tx.count(root, Usage{} - usage_of(previous->record));
    if (!same_owner) {
      tx.erase_refs(previous->record.ino, previous->record.lists.pieces);
    }
    for (auto i = static_cast<std::uint32_t>(encoded.tails.size()); i < previous->record.tails;
         ++i) {
      tx.batch.erase(part_tail_key(upload, part.number, i));
    }
  }
}

void erase_part(Transaction& tx, InodeId root, InodeId upload, const Part& part) {
  tx.count(root, Usage{} - usage_of(part.record));
  tx.erase_refs(part.record.ino, part.record.lists.pieces);
  tx.batch.erase(part_key(upload, part.number));
  for (std::uint32_t i = 0; i < part.record.tails; ++i) {
    tx.batch.erase(part_tail_key(upload, part.number, i));
  }
}

Task<> abort_all_uploads(Core& core, InodeId root) {
  const std::string all = upload_scan_prefix(root, {});
  for (;;) {
    CO_TRY(const auto page,
           co_await core.meta.scan({.lower = all, .upper = meta::prefix_end(all)}));
    for (const auto& [key, value] : page.entries) {
      CO_TRY(const UploadRecord record, decode_upload(value));
      CO_TRYV(co_await erase_upload(core, root, record.ino, key));
    }
    if (!page.more) {
      co_return ok();
    }
  }
}

std::string make_upload_id(Core& core, std::int64_t now_ns) {
  std::string id;
  put_hex(id, static_cast<std::uint64_t>(now_ns));
  const std::lock_guard lock(core.random_mutex);
  put_hex(id, core.random.next());
  put_hex(id, core.random.next());
  return id;
}

Task<UploadInfo> create_upload(Core& core,
                               std::string_view bucket,
                               std::string_view key,
                               ObjectAttributes attributes,
                               digest::Algorithm algorithm,
                               digest::ChecksumType type) {
  CO_TRYV(check_key(key));
  CO_TRYV(check_attributes(attributes));
  UploadRecord record{.created_ns = core.clock.wall_ns(),
                      .attributes = std::move(attributes),
                      .checksum_algorithm = algorithm,
                      .checksum_type = type};
  CO_TRYV(core.check_room());
  CO_TRY(record.ino, co_await core.inodes.allocate());
  const std::string id = make_upload_id(core, record.created_ns);
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    CO_TRY(const auto created, co_await try_create(core, bucket, key, id, record));
    if (created) {
      co_return info_of(key, id, record);
    }
  }
  co_return outrun();
}

Task<UploadInfo> get_upload(Core& core,
                            std::string_view bucket,
                            std::string_view key,
                            std::string_view upload_id) {
  CO_TRY(const Upload upload, co_await find_upload(core, bucket, key, upload_id));
  co_return info_of(key, upload_id, upload.record);
}

Task<> abort_upload(Core& core,
                    std::string_view bucket,
                    std::string_view key,
                    std::string_view upload_id) {
  for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
    CO_TRY(const auto aborted, co_await try_abort(core, bucket, key, upload_id));
    if (aborted) {
      co_return ok();
    }
  }
  co_return outrun();
}

}  // namespace outcrop::ns
