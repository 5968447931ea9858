// Random histories of buckets with versions against the reference namespace: every answer must be
// the same, ids aside (each side has its own, and they must correspond), and the tree must be
// whole. One seed reproduces a history.
#include <gtest/gtest.h>

#include <cstdlib>
#include <deque>

#include "tests/property/version_sides.h"
#include "tests/support/version_times.h"

namespace outcrop::test {
namespace {

constexpr std::uint64_t kMinPart = 50;

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

class History : public VersionSides {
 public:
  explicit History(std::uint64_t seed) : VersionSides(seed, kMinPart) {}

  void step() {
    using Step = std::pair<std::size_t, void (History::*)()>;
    static constexpr Step kSteps[] = {{48, &History::put_some},
                                      {24, &History::remove_some},
                                      {32, &History::remove_some_version},
                                      {16, &History::read_some},
                                      {8, &History::read_some_version},
                                      {8, &History::copy_some},
                                      {8, &History::rename_some},
                                      {8, &History::rename_some_directory},
                                      {8, &History::upload_some},
                                      {16, &History::list_some},
                                      {16, &History::tag_some},
                                      {16, &History::look_at_some_version},
                                      {24, &History::remove_seen_version},
                                      {4, &History::forget_some_time},
                                      {24, &History::lock_some},
                                      {2, &History::set_default_lock},
                                      {1, &History::set_versioning}};
    std::size_t dice = pick(263);  // their sum
    for (const auto& [weight, act] : kSteps) {
      if (dice < weight) {
        return (this->*act)();
      }
      dice -= weight;
    }
  }

  void check_everything() {
    expect_clean();
    blobs.collect();
    ASSERT_EQ(must(ns->get_usage("b")).used, must(x_model.get_usage("b")).used);
    for (const Both& v : all_versions()) {
      expect_same(v.key, v.real, v.model);
    }
    const auto names = [&](ns::Namespace& of) {
      std::vector<std::string> out;
      for (const auto& entry :
           must(of.list("b",
                        {.prefix = "", .delimiter = "", .start_after = "", .max_keys = 1U << 30}))
               .entries) {
        out.push_back(entry.key);
      }
      return out;
    };
    ASSERT_EQ(names(*ns), names(x_model));
    relocate_some();
  }

  /// Everything goes, version by version; then the bucket can.
  void end() {
    clock.advance(3 * kLockStep);
    for (const Both& v : all_versions()) {
      if (const auto there = run(ns->stat("b", v.key, v.real));
          there && there->attributes.lock.hold == ns::LegalHold::on) {
        ASSERT_FALSE(run(ns->remove_version("b", v.key, v.real, {}))) << v.key;
        must(ns->set_lock("b", v.key, v.real, {.hold = false}));
      }
      ASSERT_TRUE(must(ns->remove_version("b", v.key, v.real, {})).found) << v.key;
    }
    expect_clean();
    blobs.collect();
    std::size_t uploads = 0;
    for (const auto& u : must(ns->list_uploads("b", {})).uploads) {
      must(ns->abort_upload("b", u.key, u.upload_id));
      ++uploads;
    }
    must(ns->delete_bucket("b"));
    expect_clean();
    blobs.collect();
    ASSERT_EQ(blobs.extents(), 0U) << uploads;
  }

 private:
  std::string known_key() {
    const auto all = all_versions();
    return all.empty() || pick(3) == 0 ? some_key() : all[pick(all.size())].key;
  }
  std::string some_directory() {
    const std::string key = known_key();
    const std::size_t cut = key.find('/', pick(key.size()));
    return cut == key.npos ? component() + "/" : key.substr(0, cut + 1);
  }
  ns::Conditions some_conditions(const std::string& key) {
    ns::Conditions out;
    const auto there = run(x_model.stat("b", key));
    const bool met = there && pick(3) != 0;
    if (pick(4) == 0) {
      const std::string etag = met ? there->etag : "other";
      (pick(2) == 0 ? out.if_match : out.if_none_match) = pick(2) == 0 ? "*" : etag;
    }
    if (pick(8) == 0) {
      out.tags = met ? there->attributes.tags : ns::StringPairs{{"other", "1"}};
    }
    out.must_exist = pick(8) == 0;
    return out;
  }

  /// Some time goes by now and then: but not to where one of them ends.
  void pass_time() {
    if (pick(4) == 0) {
      clock.advance(kLockStep);
    }
  }
  void lock_some() {
    pass_time();
    const Both v = pick(3) == 0 ? Both{known_key(), {}, {}} : some_version();
    ns::LockChange change{.bypass_governance = pick(3) == 0};
    if (pick(3) == 0) {
      change.hold = pick(2) == 0;
    } else {
      change.retention = some_retention(ns::lock_time(clock));
    }
    note("lock", v.key, v.real);
    const auto real = run(ns->set_lock("b", v.key, v.real, change));
    const auto model = run(x_model.set_lock("b", v.key, v.model, change));
    if (same_outcome(real, model)) {
      ASSERT_EQ(lock_text(*real), lock_text(*model));
      bind(real->version_id, model->version_id);
    }
  }
  void set_default_lock() {
    const ns::BucketLock lock = some_default_lock();
    note("default lock");
    if (must(ns->get_bucket("b")).lock.enabled) {
      must(ns->put_object_lock("b", lock));
      must(x_model.put_object_lock("b", lock));
    }
  }
  void put_some() {
    const std::string key = pick(2) == 0 ? known_key() : some_key();
    const std::string data = some_data();
    ns::PutRequest request{
        .attributes = {}, .etag = hex_etag(data), .checksum = {}, .conditions = {}};
    request.attributes.content_type = "t" + std::to_string(pick(5));
    request.conditions = some_conditions(key);
    if (pick(4) == 0) {
      request.attributes.lock = some_lock(ns::lock_time(clock));
    }
    note("put", key);
    const auto real = run(put_task("b", key, data, request));
    const auto model = run(model_put(key, data, request));
    if (same_outcome(real, model)) {
      bind(real->version_id, model->version_id);
    }
  }
  void expect_deletion(const Result<ns::Deletion>& real, const Result<ns::Deletion>& model) {
    if (same_outcome(real, model)) {
      ASSERT_EQ(real->found, model->found);
      ASSERT_EQ(real->marker, model->marker);
      bind(real->version_id, model->version_id);
    }
  }
  void remove_some() {
    const std::string key = known_key();
    const ns::Conditions conditions = some_conditions(key);
    note("remove", key);
    expect_deletion(run(ns->remove_version("b", key, {}, conditions)),
                    run(x_model.remove_version("b", key, {}, conditions)));
  }
  /// Of the key, or of another one.
  Both some_version() {
    const auto all = all_versions();
    Both out = all.empty() ? Both{some_key(), "null", "null"} : all[pick(all.size())];
    if (pick(12) == 0) {
      out.key = known_key();
    }
    return out;
  }
  void remove_some_version() {
    const Both v = some_version();
    note("remove version", v.key, v.real);
    ns::Conditions conditions;
    conditions.bypass_governance = pick(3) == 0;
    const auto real = run(ns->remove_version("b", v.key, v.real, conditions));
    expect_deletion(real, run(x_model.remove_version("b", v.key, v.model, conditions)));
    if (real && real->found) {
      x_removed.push_back(v);
    }
  }
  /// As a listing shows it to who comes back later.
  void look_at_some_version() {
    const auto real = must(ns->list_versions("b", {.max_keys = 1U << 30})).entries;
    const auto model = must(x_model.list_versions("b", {.max_keys = 1U << 30})).entries;
    if (!real.empty() && real.size() == model.size()) {
      const std::size_t i = pick(real.size());
      x_seen.emplace_back(real[i], model[i]);
    }
    if (x_seen.size() > kMostSeen) {
      x_seen.pop_front();
    }
  }
  void remove_seen_version() {
    if (pick(2) == 0) {
      look_at_some_version();
    }
    if (x_seen.empty()) {
      return;
    }
    const auto& [real, model] = pick(2) == 0 ? x_seen.back() : x_seen[pick(x_seen.size())];
    const std::string& key = real.entry.key;
    ns::Conditions conditions;
    if (const auto there = run(x_model.stat("b", key, model.version_id)); there && pick(4) == 0) {
      conditions.tags = pick(2) == 0 ? there->attributes.tags : ns::StringPairs{{"other", "1"}};
    }
    const bool alone = pick(real.marker ? 2 : 8) == 0;
    const std::uint64_t other = pick(16) == 0 ? kOtherNumber : 0;
    note(alone ? "remove seen if alone" : "remove seen", key, real.version_id);
    conditions.seen = ns::SeenVersion{real.number + other, real.since_ns, alone};
    const auto did = run(ns->remove_version("b", key, real.version_id, conditions));
    conditions.seen = ns::SeenVersion{model.number + other, model.since_ns, alone};
    expect_deletion(did, run(x_model.remove_version("b", key, model.version_id, conditions)));
    if (did && did->found) {
      ASSERT_EQ(other, 0U);
      x_removed.push_back({key, real.version_id, model.version_id});
    }
  }
  /// The record of a version becomes one of version 1.
  void forget_some_time() {
    look_at_some_version();
    if (x_seen.empty() || !x_seen.back().first.since_ns) {
      return;
    }
    const ns::VersionEntry& real = x_seen.back().first;
    const ns::VersionEntry& model = x_seen.back().second;
    const std::string& key = real.entry.key;
    meta::Batch batch = forget_times(meta, [&](const auto& at, const auto& record) {
      return at.number == real.number && record.since_ns == real.since_ns && key.ends_with(at.name);
    });
    ASSERT_EQ(batch.mutations.size(), 1U) << key << " " << real.version_id;
    must(meta.commit(std::move(batch)));
    x_model.forget_since("b", key, model.number);
    note("forget the time", key, real.version_id);
  }
  void read_some() { expect_same(known_key(), {}, {}); }
  void read_some_version() {
    const Both v = some_version();
    expect_same(v.key, v.real, v.model);
  }

  void tag_some() {
    const Both v = pick(3) == 0 ? Both{known_key(), {}, {}} : some_version();
    ns::StringPairs tags;
    for (std::size_t n = pick(4); n > 0; --n) {
      tags.emplace_back("tag" + std::to_string(n), std::to_string(pick(100)));
    }
    const auto real = run(ns->set_tags("b", v.key, v.real, tags, {}));
    const auto model = run(x_model.set_tags("b", v.key, v.model, tags, {}));
    if (same_outcome(real, model)) {
      ASSERT_EQ(tags_text(*real), tags_text(*model));
      ASSERT_EQ(real->current, model->current);
      bind(real->version_id, model->version_id);
    }
  }

  void copy_some() {
    const bool by_version = pick(2) == 0;
    const Both from = by_version ? some_version() : Both{known_key(), {}, {}};
    const std::string to = pick(4) == 0 ? from.key : known_key();
    ns::CopyRequest request{"b", from.key, {}, some_conditions(to), {}};
    if (pick(2) == 0) {
      request.replace = ns::ObjectAttributes{.content_type = "r", .headers = {}, .user_meta = {}};
    }
    if (pick(3) == 0) {
      request.tags = ns::StringPairs{{"copied", std::to_string(pick(9))}};
    }
    if (pick(4) == 0) {
      request.lock = some_lock(ns::lock_time(clock));
    }
    note("copy", from.key + (by_version ? "?" + from.real : ""), to);
    request.source_version = from.real;
    const auto real = run(ns->copy("b", to, request));
    request.source_version = from.model;
    const auto model = run(x_model.copy("b", to, request));
    // A copy's source under a marker is no key, whatever words are found for it.
    if (!real && !model && model.error().code() == Errc::key_deleted) {
      ASSERT_EQ(real.error().code(), Errc::no_such_key);
      return;
    }
    if (same_outcome(real, model)) {
      bind(real->version_id, model->version_id);
    }
  }
  void rename_some() {
    const std::string from = known_key();
    const std::string to = pick(3) == 0 ? known_key() : some_key();
    if (!from.ends_with('/') && !to.ends_with('/')) {
      note("rename", from, to);
      const auto real = run(ns->rename("b", from, to));
      const auto model = run(x_model.rename("b", from, to));
      if (same_outcome(real, model)) {
        bind(*real, *model);
      }
    }
  }
  void rename_some_directory() {
    const std::string from = some_directory();
    const std::string to = some_directory() + (pick(2) == 0 ? component() + "/" : "");
    if (to.size() < 300) {
      note("rename directory", from, to);
      same_outcome(run(ns->rename("b", from, to)), run(x_model.rename("b", from, to)));
    }
  }

  void upload_some() {
    const std::string key = known_key();
    const std::string data(60 + pick(5000), 'u');
    note("upload", key);
    const auto upload = [&](ns::Namespace& of) -> Result<ns::ObjectInfo> {
      const auto made = must(of.create_upload("b", key, {}, digest::Algorithm::none,
                                              digest::ChecksumType::full_object));
      auto writer = must(of.open_write("b", key, data.size()));
      must(write_all(*writer, data, 1 << 20));
      must(of.put_part("b", key, made.upload_id, 1, std::move(writer), hex_etag(data), {}));
      ns::CompleteRequest request;
      request.parts = {{1, hex_etag(data), {}}};
      return run(of.complete_upload("b", key, made.upload_id, request));
    };
    const auto real = upload(*ns);
    const auto model = upload(x_model);
    if (same_outcome(real, model)) {
      bind(real->version_id, model->version_id);
    }
  }

  void set_versioning() {
    const auto state = pick(3) == 0 ? ns::Versioning::suspended : ns::Versioning::enabled;
    note(state == ns::Versioning::enabled ? "enable" : "suspend");
    same_outcome(run(ns->put_versioning("b", state)), run(x_model.put_versioning("b", state)));
  }

  void expect_page(const ns::VersionPage& real, const ns::VersionPage& model) {
    ASSERT_EQ(real.truncated, model.truncated);
    ASSERT_EQ(real.entries.size(), model.entries.size())
        << listed(real) + "model\n" + listed(model);
    for (std::size_t i = 0; i < real.entries.size(); ++i) {
      const ns::VersionEntry& r = real.entries[i];
      const ns::VersionEntry& m = model.entries[i];
      ASSERT_EQ(r.entry.key, m.entry.key) << i;
      ASSERT_EQ(r.entry.is_prefix, m.entry.is_prefix) << r.entry.key;
      ASSERT_EQ(r.marker, m.marker) << r.entry.key;
      ASSERT_EQ(r.latest, m.latest) << r.entry.key;
      ASSERT_EQ(r.entry.size, m.entry.size) << r.entry.key;
      ASSERT_EQ(r.entry.etag, m.entry.etag) << r.entry.key;
      ASSERT_EQ(r.since_ns.has_value(), m.since_ns.has_value()) << r.entry.key;
      // The model did it next, while the clock went on by some seconds.
      const std::int64_t later = m.since_ns.value_or(0) - r.since_ns.value_or(0);
      ASSERT_TRUE(later >= 0 && later < kMostTicks) << r.entry.key << " " << later;
      bind(r.version_id, m.version_id);
    }
  }

  /// A version of its own key, there or no more. (Versions of different keys that come from one
  /// operation are in no order.)
  Both some_marker() {
    if (!x_removed.empty() && pick(4) == 0) {
      return x_removed[pick(x_removed.size())];
    }
    const auto all = all_versions();
    return all.empty() ? Both{some_key(), "null", "null"} : all[pick(all.size())];
  }

  /// Page by page, with random parameters; both sides go on from their own markers.
  void list_some() {
    static const std::vector<std::string> kDelimiters = {"", "", "/", "a", "b/"};
    ns::VersionListRequest real{.delimiter = kDelimiters[pick(kDelimiters.size())],
                                .max_keys = 1 + pick(40)};
    if (pick(2) == 0) {
      const std::string key = known_key();
      real.prefix = key.substr(0, pick(key.size() + 1));
    }
    note("list", "prefix " + real.prefix, "delimiter " + real.delimiter);
    ns::VersionListRequest model = real;
    if (pick(3) == 0) {
      const Both v = some_marker();
      real.key_marker = model.key_marker = v.key;
      if (pick(2) == 0) {
        real.version_marker = v.real;
        model.version_marker = v.model;
      }
    }
    for (int pages = 0; pages < 1000; ++pages) {
      const ns::VersionPage r = must(ns->list_versions("b", real));
      const ns::VersionPage m = must(x_model.list_versions("b", model));
      expect_page(r, m);
      if (::testing::Test::HasFailure() || !r.truncated) {
        return;
      }
      real.key_marker = model.key_marker = r.entries.back().entry.key;
      real.version_marker = r.next_version_marker;
      model.version_marker = m.next_version_marker;
    }
  }

  std::vector<Both> all_versions() {
    const ns::VersionPage real = must(ns->list_versions("b", {.max_keys = 1U << 30}));
    const ns::VersionPage model = must(x_model.list_versions("b", {.max_keys = 1U << 30}));
    expect_page(real, model);
    std::vector<Both> out;
    for (std::size_t i = 0; i < std::min(real.entries.size(), model.entries.size()); ++i) {
      out.push_back(
          {real.entries[i].entry.key, real.entries[i].version_id, model.entries[i].version_id});
    }
    return out;
  }

  void relocate_some() {
    blobs.next_segment();
    for (const SegmentId segment : blobs.old_segments()) {
      for (bool finished = false; !finished;) {
        finished = must(ns->relocate(segment, 1 << 20, segment::Purpose::upkeep)).finished;
      }
    }
    blobs.collect();
  }

  static constexpr std::size_t kMostSeen = 20;
  static constexpr std::uint64_t kOtherNumber = std::uint64_t{1} << 62;
  static constexpr std::int64_t kMostTicks = 100'000'000'000;

  std::vector<Both> x_removed{};
  std::deque<std::pair<ns::VersionEntry, ns::VersionEntry>> x_seen{};  ///< real, model
};

TEST(VersionModel, RandomHistories) {
  const std::uint64_t total = setting("OUTCROP_MODEL_OPS", 12'000);
  const std::uint64_t per_history = std::min<std::uint64_t>(total, 1'000);
  std::uint64_t seed = setting("OUTCROP_MODEL_SEED", 1);
  for (std::uint64_t done = 0; done < total; done += per_history, ++seed) {
    SCOPED_TRACE("OUTCROP_MODEL_SEED=" + std::to_string(seed));
    History history(seed);
    for (std::uint64_t i = 0; i < per_history; ++i) {
      history.step();
      if (i % 200 == 199) {
        history.check_everything();
      }
      if (::testing::Test::HasFailure()) {
        FAIL() << "at operation " << i << ", after\n" << history.last_changes();
      }
    }
    history.end();
  }
}

}  // namespace
}  // namespace outcrop::test
