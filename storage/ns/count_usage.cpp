#include "storage/ns/count_usage.h"

#include <optional>
#include <unordered_map>

#include "storage/ns/bucket_record.h"
#include "storage/ns/change_counter.h"
#include "storage/ns/inode_record.h"
#include "storage/ns/keys.h"
#include "storage/ns/link_record.h"
#include "storage/ns/tally.h"
#include "storage/ns/tally_record.h"

namespace outcrop::ns {
namespace {

using meta::Table;

constexpr std::size_t kMostKnown = 1 << 20;   // directories whose bucket is remembered
constexpr std::size_t kMostLevels = 1 << 20;  // a circle of directories ends here
// Cells of a bucket are as many as it had commits at a time; more is damage.
constexpr std::uint32_t kMostCells = 1 << 20;

/// Every record of a range, page by page.
template <class Visit>
Task<> each(meta::MetaStore& meta,
            meta::SnapshotPtr at,
            std::string lower,
            std::string upper,
            Visit visit) {
  meta::ScanRequest request{.lower = std::move(lower), .upper = std::move(upper)};
  for (bool more = true; more;) {
    CO_TRY(const meta::ScanPage page, co_await meta.scan(request, at));
    for (const meta::KeyValue& entry : page.entries) {
      CO_TRYV(co_await visit(entry));
    }
    more = page.more && !page.entries.empty();
    if (more) {
      request.lower = page.entries.back().key + '\0';
    }
  }
  co_return ok();
}

class UsageCounter {
 public:
  UsageCounter(meta::MetaStore& meta,
               meta::SnapshotPtr at,
               const std::function<bool(std::uint64_t)>& progress)
      : x_meta(meta), x_at(std::move(at)), x_progress(progress) {}

  Task<UsageByRoot> run() {
    const std::string inodes = meta::table_key(Table::inode);
    CO_TRYV(co_await each(x_meta, x_at, inodes, meta::prefix_end(inodes),
                          [this](const meta::KeyValue& entry) { return inode(entry); }));
    CO_TRYV(co_await finish_inode());
    const std::string uploads = meta::table_key(Table::upload);
    CO_TRYV(co_await each(x_meta, x_at, uploads, meta::prefix_end(uploads),
                          [this](const meta::KeyValue& entry) { return upload(entry); }));
    co_return std::move(x_usage);
  }

 private:
  Task<> inode(const meta::KeyValue& entry) {
    const std::string_view key = std::string_view(entry.key).substr(1);
    if (key.size() == sizeof(InodeId) + sizeof(std::uint32_t)) {
      if (x_record && x_ino == get_be64(key)) {
        std::ignore = append_tail(entry.value, x_record->lists);
      }
      co_return ok();
    }
    CO_TRYV(co_await finish_inode());
    auto record = decode_inode(entry.value);
    if (key.size() == sizeof(InodeId) && record) {
      x_ino = get_be64(key);
      x_record = *std::move(record);
    }
    if (!x_progress(++x_read)) {
      co_return fail(Errc::cancelled);
    }
    co_return ok();
  }

  Task<> finish_inode() {
    const std::optional<InodeRecord> record = std::exchange(x_record, std::nullopt);
    if (!record || record->type != InodeType::file) {
      co_return ok();
    }
    CO_TRY(const InodeId root,
           co_await (record->links() == 0 ? root_of_orphan(x_ino) : root_of(record->parent)));
    add(root, usage_of(*record));
    co_return ok();
  }

  Task<> upload(const meta::KeyValue& entry) {
    const auto key = parse_upload_key(entry.key);
    const auto record = decode_upload(entry.value);
    if (!key || !record) {
      co_return ok();
    }
    const std::size_t main_bytes = part_key(record->ino, 0).size();
    std::optional<PartRecord> part;
    const auto finish = [&] {
      if (part) {
        add(key->root, usage_of(*part));
      }
      part.reset();
    };
    const auto visit = [&](const meta::KeyValue& next) -> Task<> {
      if (next.key.size() != main_bytes) {
        if (part) {
          std::ignore = append_tail(next.value, part->lists);
        }
        co_return ok();
      }
      finish();
      if (auto decoded = decode_part(next.value)) {
        part = *std::move(decoded);
      }
      co_return ok();
    };
    CO_TRYV(co_await each(x_meta, x_at, part_key(record->ino, 0), part_end(record->ino), visit));
    finish();
    co_return ok();
  }

  void add(InodeId root, const Usage& usage) {
    if (root != 0) {
      Usage& sum = x_usage[root];
      sum = sum + usage;
    }
  }

  Task<InodeId> root_of_orphan(InodeId ino) {
    CO_TRY(const auto value, co_await x_meta.get(orphan_key(ino), x_at));
    const auto root = value ? decode_number(*value) : Result<std::uint64_t>(fail(Errc::not_found));
    co_return root ? *root : InodeId{0};
  }

  /// 0: it leads to no bucket.
  Task<InodeId> root_of(InodeId directory) {
    std::vector<InodeId> way;
    InodeId root = 0;
    for (InodeId at = directory; root == 0 && way.size() < kMostLevels;) {
      if (const auto known = x_known.find(at); known != x_known.end()) {
        root = known->second;
        break;
      }
      CO_TRY(const auto value, co_await x_meta.get(inode_key(at), x_at));
      const auto record = value ? decode_inode(*value) : Result<InodeRecord>(fail(Errc::not_found));
      if (!record || record->type != InodeType::directory) {
        break;
      }
      way.push_back(at);
      root = record->parent == kRootOfBuckets ? at : 0;
      at = record->parent;
    }
    if (x_known.size() + way.size() > kMostKnown) {
      x_known.clear();
    }
    for (const InodeId ino : way) {
      x_known[ino] = root;
    }
    co_return root;
  }

  meta::MetaStore& x_meta;
  const meta::SnapshotPtr x_at;
  const std::function<bool(std::uint64_t)>& x_progress;
  InodeId x_ino = 0;
  std::optional<InodeRecord> x_record;  ///< the one whose continuation records are being read
  std::uint64_t x_read = 0;
  std::unordered_map<InodeId, InodeId> x_known;
  UsageByRoot x_usage;
};

}  // namespace

Task<UsageByRoot> count_usage(meta::MetaStore& meta,
                              meta::SnapshotPtr at,
                              const std::function<bool(std::uint64_t)>& progress) {
  UsageCounter counter(meta, std::move(at), progress);
  co_return co_await counter.run();
}

Task<StoredTallies> load_tallies(meta::MetaStore& meta, meta::SnapshotPtr at) {
  StoredTallies out;
  const auto visit = [&out](const meta::KeyValue& entry) -> Task<> {
    const auto key = parse_tally_key(entry.key);
    if (!key || key->cell.value_or(0) >= kMostCells) {
      co_return fail(Errc::corrupt, "key of a tally malformed");
    }
    if (key->root == 0) {
      CO_TRY(out.groups[key->group], decode_limits(entry.value));
      co_return ok();
    }
    StoredTally& tally = out.buckets[key->root];
    if (!key->cell) {
      CO_TRY(tally.limits, decode_limits(entry.value));
      co_return ok();
    }
    if (tally.cells.size() <= *key->cell) {
      tally.cells.resize(*key->cell + 1);
    }
    CO_TRY(tally.cells[*key->cell], decode_cell(entry.value));
    co_return ok();
  };
  const std::string all = meta::table_key(Table::tally);
  CO_TRYV(co_await each(meta, std::move(at), all, meta::prefix_end(all), visit));
  co_return out;
}

Task<bool> tallies_hold(meta::MetaStore& meta, meta::SnapshotPtr at) {
  CO_TRY(const auto boot, co_await meta.get(boot_counter_key(), at));
  CO_TRY(const auto mark, co_await meta.get(tally_mark_key(), at));
  co_return boot == mark;
}

}  // namespace outcrop::ns
