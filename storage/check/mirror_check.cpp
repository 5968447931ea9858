#include "storage/check/mirror_check.h"

#include <algorithm>

#include "storage/check/object_names.h"
#include "storage/meta/tables.h"

namespace outcrop::check {
namespace {

constexpr std::uint64_t kBeat = 4096;
constexpr std::size_t kNamed = 3;  ///< different records that a finding names

constexpr const char* kRebuildMirror =
    "with the server stopped, move the folder meta of that drive aside: the next start builds the "
    "mirror anew from another; if it happens again, replace the drive";

/// All records of a mirror but its own positions.
class RecordCursor {
 public:
  explicit RecordCursor(meta::MetaStore& store) : x_store(store) {}
  const meta::KeyValue* get() const {
    return x_at < x_page.entries.size() ? &x_page.entries[x_at] : nullptr;
  }
  /// Before the first look, and to the next one.
  Task<> next() {
    do {
      if (!x_began || (x_at + 1 >= x_page.entries.size() && x_page.more)) {
        if (x_began) {
          x_request.lower = x_page.entries.back().key + '\0';
        }
        CO_TRY(x_page, co_await x_store.scan(x_request, {}));
        x_began = true;
        x_at = 0;
      } else {
        ++x_at;
      }
    } while (get() != nullptr && get()->key.starts_with(static_cast<char>(meta::Table::journal)));
    ++x_records;
    co_return ok();
  }
  std::uint64_t records() const { return x_records == 0 ? 0 : x_records - 1; }

 private:
  meta::MetaStore& x_store;
  meta::ScanRequest x_request;
  meta::ScanPage x_page;
  std::size_t x_at = 0;
  std::uint64_t x_records = 0;
  bool x_began = false;
};

/// Two mirrors side by side.
class Comparison {
 public:
  Comparison(meta::MetaStore& reference, meta::MetaStore& other)
      : x_reference(reference), x_other(other) {}

  Task<> run(const std::function<bool(std::uint64_t)>& go_on, std::uint64_t& read) {
    CO_TRYV(co_await x_reference.next());
    CO_TRYV(co_await x_other.next());
    while (x_reference.get() != nullptr || x_other.get() != nullptr) {
      const meta::KeyValue *a = x_reference.get(), *b = x_other.get();
      const int order = a == nullptr ? 1 : b == nullptr ? -1 : a->key.compare(b->key);
      if (order != 0 || a->value != b->value) {
        differ(order < 0   ? "only in the first: "
               : order > 0 ? "only in the second: "
                           : "not alike: ",
               order > 0 ? b->key : a->key);
      }
      if (order <= 0) {
        CO_TRYV(co_await x_reference.next());
      }
      if (order >= 0) {
        CO_TRYV(co_await x_other.next());
      }
      if (++read % kBeat == 0 && !go_on(read)) {
        co_return fail(Errc::cancelled);
      }
    }
    co_return ok();
  }
  std::uint64_t different() const { return x_different; }
  const std::string& examples() const { return x_examples; }

 private:
  void differ(std::string_view how, std::string_view key) {
    if (++x_different <= kNamed) {
      x_examples.append(x_examples.empty() ? "" : "; ").append(how).append(describe_key(key));
    }
  }

  RecordCursor x_reference, x_other;
  std::uint64_t x_different = 0;
  std::string x_examples;
};

/// Every table file, then every record with its checksum.
Task<MirrorVerdict> read_mirror(meta::OfflineMeta& meta,
                                std::size_t mirror,
                                const std::function<bool(std::uint64_t)>& go_on,
                                std::uint64_t& read) {
  MirrorVerdict out;
  CO_TRYV(meta.verify(mirror));
  RecordCursor cursor(meta.store(mirror));
  CO_TRYV(co_await cursor.next());
  while (cursor.get() != nullptr) {
    CO_TRYV(co_await cursor.next());
    if (++read % kBeat == 0 && !go_on(read)) {
      co_return fail(Errc::cancelled);
    }
  }
  out.records = cursor.records();
  out.readable = true;
  co_return out;
}

void complain(const meta::JournalComplaint& c, const std::string& drive, Report& report) {
  using Kind = meta::JournalComplaint::Kind;
  const std::string file = drive + ", " + c.path + ": ";
  constexpr const char* kServes =
      "nothing is lost: the copies on other drives serve, and the next start writes journals anew; "
      "if it happens again, replace the drive";
  switch (c.kind) {
    case Kind::unreadable:
      report.findings.problem("journal-unreadable", file + "cannot be read (" + c.detail + ")",
                              kServes);
      return;
    case Kind::cut:
      report.findings.problem(
          "journal-cut",
          file + "the last " + count_of(c.count, "byte") + " of this journal file are gone",
          kServes);
      return;
    case Kind::lacks:
      report.findings.problem("journal-damaged",
                              file + count_of(c.count, "block") +
                                  " that replay needs are damaged or gone on this drive",
                              kServes);
      return;
    case Kind::too_few:
      report.findings.problem(
          "journal-copies",
          count_of(c.count, "block") +
              " of the journal have copies on fewer drives than parity + 1 "
              "(one is on " +
              drive + ")",
          "start the server before another drive fails: it replays them into all mirrors");
      return;
  }
}

}  // namespace

std::string drive_name(const drives::DriveSet& drives, drives::Slot slot) {
  const io::Disk* const disk = slot < drives.slots() ? drives.disk(slot) : nullptr;
  const std::string number = "slot " + std::to_string(slot);
  return disk == nullptr ? "the drive in " + number
                         : "drive " + quoted(disk->name()) + " (" + number + ")";
}

Task<std::vector<MirrorVerdict>> compare_mirrors(meta::OfflineMeta& meta,
                                                 const drives::DriveSet& drives,
                                                 std::function<bool(std::uint64_t)> go_on,
                                                 Report& report) {
  std::vector<MirrorVerdict> out(meta.mirrors());
  std::uint64_t read = 0;
  std::optional<std::size_t> reference;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const std::string where = "the metadata mirror on " + drive_name(drives, meta.slot(i));
    auto verdict = co_await read_mirror(meta, i, go_on, read);
    if (!verdict && verdict.error().code() == Errc::cancelled) {
      co_return fail(verdict.error());
    }
    if (!verdict) {
      report.findings.problem("mirror-damaged",
                              where + " is damaged: " + verdict.error().describe(), kRebuildMirror);
      continue;
    }
    out[i] = *verdict;
    ++report.mirrors;
    if (!reference) {
      reference = i;
      report.records = verdict->records;
      continue;
    }
    Comparison comparison(meta.store(*reference), meta.store(i));
    CO_TRYV(co_await comparison.run(go_on, read));
    out[i].different = comparison.different();
    if (out[i].different > 0) {
      report.findings.problem(
          "mirrors-differ",
          where + " differs from the one on " + drive_name(drives, meta.slot(*reference)) + " in " +
              count_of(out[i].different, "record") + " (" + comparison.examples() + ")",
          "the findings about the tree tell which of them is whole: with the server stopped, move "
          "the folder meta of the other drive aside, and the next start builds it anew");
    }
  }
  co_return out;
}

void report_losses(const meta::OfflineMeta& meta, const drives::DriveSet& drives, Report& report) {
  for (const meta::MirrorSet::Loss& loss : meta.losses()) {
    report.findings.problem("mirror-lost",
                            "the metadata mirror on " + drive_name(drives, loss.slot) +
                                " cannot be used: " + loss.why.describe(),
                            "start the server: it drops this mirror and builds one anew from "
                            "another; if it happens again, replace the drive");
  }
  report.journal_files = meta.journal().files;
  report.journal_blocks = meta.journal().blocks;
  report.replayed = meta.replayed().transactions;
  report.refused = meta.replayed().refused;
  for (const meta::JournalComplaint& complaint : meta.journal().complaints) {
    complain(complaint, drive_name(drives, complaint.slot), report);
  }
}

}  // namespace outcrop::check
