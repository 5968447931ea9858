// Random histories of buckets with versions against the reference namespace: every answer must be
// the same, ids aside (each side has its own, and they must correspond), and the tree must be
// whole. One seed reproduces a history.
#include <gtest/gtest.h>

#include <cstdlib>
#include <deque>
#include <map>
#include <random>

#include "storage/digest/digest.h"
#include "storage/digest/text.h"
#include "tests/support/namespace_fixture.h"
#include "tests/support/reference_namespace.h"

namespace outcrop::test {
namespace {

constexpr std::uint64_t kMinPart = 50;

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

/// A version by its two ids.
struct Both {
  std::string key, real, model;
};

class History : public NamespaceFixture {
 public:
  explicit History(std::uint64_t seed)
      : NamespaceFixture({.object_cache_bytes = 1 << 20,
                          .directory_cache_bytes = 1 << 18,
                          .min_part_bytes = kMinPart,
                          .inode_block = 5000},
                         0,
                         48 << 10),
        x_random(seed),
        x_model(clock, {.min_part_bytes = kMinPart, .piece_bytes = 1 << 16}) {
    must(ns->create_bucket("b", ""));
    must(x_model.create_bucket("b", ""));
  }

  void step() {
    const std::size_t kind = pick(24);
    if (kind < 6) {
      return put_some();
    }
    if (kind < 9) {
      return remove_some();
    }
    if (kind < 13) {
      return remove_some_version();
    }
    switch (kind) {
      case 14:
        return read_some_version();
      case 15:
        return copy_some();
      case 16:
        return rename_some();
      case 17:
        return rename_some_directory();
      case 18:
        return upload_some();
      case 19:
      case 20:
        return list_some();
      case 21:
      case 22:
        return tag_some();
      default:
        return pick(8) == 0 ? set_versioning() : read_some();
    }
  }

  void check_everything() {
    expect_clean();
    blobs.collect();
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

  std::string last_changes() const {
    std::string out;
    for (const std::string& line : x_notes) {
      out += line + "\n";
    }
    return out;
  }

  /// Everything goes, version by version; then the bucket can.
  void end() {
    for (const Both& v : all_versions()) {
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
  void note(std::string_view what, std::string_view one = {}, std::string_view other = {}) {
    x_notes.push_back(std::string(what) + " " + ::testing::PrintToString(std::string(one)) + " " +
                      ::testing::PrintToString(std::string(other)));
    if (x_notes.size() > kNotes) {
      x_notes.pop_front();
    }
  }
  std::size_t pick(std::size_t n) { return x_random() % n; }

  std::string component() {
    using namespace std::string_literals;
    static const std::vector kParts = {""s,    "."s,  "a"s,    "a"s,    "b"s,  "b"s,   "c"s,
                                       "a-b"s, "a0"s, "\x01"s, "\xff"s, "\0"s, "a\0b"s};
    return kParts[pick(kParts.size())];
  }
  std::string some_key() {
    std::string key;
    while (key.empty()) {
      for (std::size_t depth = pick(4); depth > 0; --depth) {
        key += component() + "/";
      }
      key += component();
    }
    return key;
  }
  std::string known_key() {
    const auto all = all_versions();
    return all.empty() || pick(3) == 0 ? some_key() : all[pick(all.size())].key;
  }
  std::string some_directory() {
    const std::string key = known_key();
    const std::size_t cut = key.find('/', pick(key.size()));
    return cut == key.npos ? component() + "/" : key.substr(0, cut + 1);
  }
  std::string some_data() {
    static const std::size_t kSizes[] = {0, 1, 60, 2048, 2049, 5000, 140'000};
    return std::string(kSizes[pick(pick(6) == 0 ? 7 : 5)], static_cast<char>('a' + pick(26)));
  }
  std::string hex_etag(std::string_view data) {
    return digest::to_hex(as_bytes(digest::Digest::of(digest::Algorithm::md5, as_bytes(data))));
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

  /// Ids correspond: a real one always to the same of the model.
  void bind(const std::string& real, const std::string& model) {
    if (real == "null" || model == "null" || real.empty() || model.empty()) {
      ASSERT_EQ(real, model);
      return;
    }
    const auto [it, fresh] = x_ids.emplace(real, model);
    ASSERT_EQ(it->second, model) << real;
  }

  template <class T, class U>
  bool same_outcome(const Result<T>& real, const Result<U>& model) {
    const auto code = [](const auto& r) {
      return r ? std::string("ok") : std::string(to_string(r.error().code()));
    };
    EXPECT_EQ(code(real), code(model)) << (real ? "" : real.error().describe());
    if (!real && !model &&
        (real.error().code() == Errc::key_deleted || real.error().code() == Errc::delete_marker)) {
      bind(std::string(real.error().detail()), std::string(model.error().detail()));
    }
    return real && model;
  }

  Task<std::string> read_task(ns::Namespace& of, std::string key, std::string id) {
    CO_TRY(auto reader, co_await of.open_read("b", key, id));
    const ns::ObjectInfo& info = reader->info();
    CO_TRY(std::string data, co_await read_range(*reader, {0, info.size}));
    co_return data + "|" + info.etag + "|" + info.attributes.content_type + "|" +
        std::to_string(info.parts.size()) + "|" + tags_text(info) + (info.current ? "" : "|old");
  }
  static std::string tags_text(const ns::ObjectInfo& info) {
    std::string out;
    for (const auto& [key, value] : info.attributes.tags) {
      out.append(key).append("=").append(value).append(",");
    }
    return out;
  }
  void expect_same(const std::string& key,
                   const std::string& real_id,
                   const std::string& model_id) {
    const auto real = run(read_task(*ns, key, real_id));
    const auto model = run(read_task(x_model, key, model_id));
    if (same_outcome(real, model)) {
      ASSERT_EQ(*real, *model);
      bind(must(ns->stat("b", key, real_id)).version_id,
           must(x_model.stat("b", key, model_id)).version_id);
    }
  }

  void put_some() {
    const std::string key = pick(2) == 0 ? known_key() : some_key();
    const std::string data = some_data();
    ns::PutRequest request{
        .attributes = {}, .etag = hex_etag(data), .checksum = {}, .conditions = {}};
    request.attributes.content_type = "t" + std::to_string(pick(5));
    request.conditions = some_conditions(key);
    note("put", key);
    const auto real = run(put_task("b", key, data, request));
    const auto model = run(model_put(key, data, request));
    if (same_outcome(real, model)) {
      bind(real->version_id, model->version_id);
    }
  }
  Task<ns::ObjectInfo> model_put(std::string key, std::string data, ns::PutRequest request) {
    CO_TRY(auto writer, co_await x_model.open_write("b", key, data.size()));
    CO_TRYV(co_await write_all(*writer, data, 1 << 20));
    co_return co_await x_model.put("b", key, std::move(writer), std::move(request));
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
    const auto real = run(ns->remove_version("b", v.key, v.real, {}));
    expect_deletion(real, run(x_model.remove_version("b", v.key, v.model, {})));
    if (real && real->found) {
      x_removed.push_back(v);
    }
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
      same_outcome(run(ns->rename("b", from, to)), run(x_model.rename("b", from, to)));
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
    must(ns->put_versioning("b", state));
    must(x_model.put_versioning("b", state));
  }

  static std::string listed(const ns::VersionPage& page) {
    std::string out;
    for (const ns::VersionEntry& v : page.entries) {
      out += ::testing::PrintToString(v.entry.key) + " " + v.version_id +
             (v.marker ? " marker\n" : "\n");
    }
    return out;
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
        finished = must(ns->relocate(segment, 1 << 20)).finished;
      }
    }
    blobs.collect();
  }

  static constexpr std::size_t kNotes = 40;

  std::mt19937_64 x_random;
  testing::ReferenceNamespace x_model;
  std::map<std::string, std::string> x_ids;
  std::vector<Both> x_removed{};
  std::deque<std::string> x_notes{};  ///< the last changes
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
