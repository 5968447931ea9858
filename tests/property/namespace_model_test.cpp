// Random histories of the namespace against the model: every answer must be the model's, and the
// tree must be whole. One seed reproduces a history.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <set>

#include "storage/digest/digest.h"
#include "storage/digest/text.h"
#include "tests/property/namespace_model.h"
#include "tests/support/sealed_fixture.h"

namespace outcrop::test {
namespace {

constexpr std::uint64_t kMinPart = 50;
constexpr std::size_t kLongestKey = 400;

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

class History : public NamespaceFixture {
 public:
  explicit History(std::uint64_t seed)
      : NamespaceFixture({.object_cache_bytes = 1 << 20,
                          .directory_cache_bytes = 1 << 18,
                          .min_part_bytes = kMinPart,
                          .inode_block = 5000},
                         0,
                         48 << 10),
        x_random(seed) {
    must(ns->create_bucket("b", ""));
  }

  void step() {
    switch (pick(22)) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4:
        return put_some();
      case 5:
      case 6:
      case 7:
        return remove_some();
      case 8:
      case 9:
        return read_some();
      case 10:
        return read_range_of_some();
      case 11:
        return copy_some();
      case 12:
        return rename_some();
      case 13:
        return rename_some_directory();
      case 14:
      case 15:
        return list_some();
      case 16:
        return create_upload_somewhere();
      case 17:
        return put_some_part();
      case 18:
        return copy_some_part();
      case 19:
        return tag_some();
      case 20:
        return append_some();
      default:
        return end_some_upload();
    }
  }

  void check_everything() {
    expect_clean();
    blobs.collect();
    ASSERT_EQ(names({.prefix = "", .delimiter = "", .start_after = "", .max_keys = 1u << 30}),
              x_model.keys());
    for (const auto& [key, object] : x_model.objects) {
      expect_object(key);
    }
    std::size_t uploads = 0;
    for (const auto& u : must(ns->list_uploads("b", {.prefix = "",
                                                     .delimiter = "",
                                                     .key_marker = "",
                                                     .upload_id_marker = "",
                                                     .max_uploads = 1u << 30}))
                             .uploads) {
      ASSERT_TRUE(x_model.uploads.contains(u.upload_id));
      ASSERT_EQ(x_model.uploads.at(u.upload_id).key, u.key);
      ++uploads;
    }
    ASSERT_EQ(uploads, x_model.uploads.size());
  }

 private:
  std::size_t pick(std::size_t n) { return x_random() % n; }

  std::string component() {
    static const std::vector<std::string> kParts = {"",
                                                    ".",
                                                    "..",
                                                    "a",
                                                    "a",
                                                    "b",
                                                    "b",
                                                    "c",
                                                    "a-b",
                                                    "a.txt",
                                                    "a0",
                                                    "\x01",
                                                    "\xff",
                                                    std::string("\0", 1),
                                                    "dir",
                                                    "~",
                                                    std::string(100, 'l')};
    return kParts[pick(kParts.size())];
  }
  std::string directory() {
    std::string out;
    for (std::size_t depth = pick(4); depth > 0; --depth) {
      out += component() + "/";
    }
    return out;
  }
  std::string fresh_key() {
    std::string key;
    while (key.empty()) {
      key = directory() + component();
    }
    return key;
  }
  std::string some_key() {
    if (x_model.objects.empty() || pick(2) == 0) {
      return fresh_key();
    }
    auto it = x_model.objects.lower_bound(fresh_key());
    return it == x_model.objects.end() ? x_model.objects.begin()->first : it->first;
  }
  std::string some_directory() {
    const std::string key = some_key();
    std::vector<std::size_t> cuts;
    for (std::size_t at = key.find('/'); at != key.npos; at = key.find('/', at + 1)) {
      cuts.push_back(at + 1);
    }
    return cuts.empty() ? component() + "/" : key.substr(0, cuts[pick(cuts.size())]);
  }
  std::string hex_etag(std::string_view data) {
    return digest::to_hex(as_bytes(digest::Digest::of(digest::Algorithm::md5, as_bytes(data))));
  }
  std::string some_data() {
    static const std::size_t kSizes[] = {0, 1, 40, 60, 500, 2048, 2049, 5000, 100'000};
    std::string data(pick(60) == 0 ? 140'000 : kSizes[pick(pick(4) == 0 ? 9 : 6)], '\0');
    const auto salt = static_cast<char>(x_random());
    for (std::size_t i = 0; i < data.size(); ++i) {
      data[i] = static_cast<char>(salt + (i >> 4) + i * 7);
    }
    return data;
  }
  ns::Conditions some_conditions(const std::string& key) {
    ns::Conditions out;
    if (pick(4) != 0) {
      return out;
    }
    const ModelObject* object = x_model.find(key);
    const std::string etag = object && pick(3) != 0 ? object->etag : "other";
    switch (pick(4)) {
      case 0:
        out.if_match = "*";
        break;
      case 1:
        out.if_match = etag;
        break;
      case 2:
        out.if_none_match = "*";
        break;
      default:
        out.if_none_match = etag;
        break;
    }
    return out;
  }

  template <class T>
  void expect_outcome(const Result<T>& result, NamespaceModel::Outcome expected) {
    const auto code = result ? std::nullopt : std::optional(result.error().code());
    ASSERT_EQ(code, expected) << (result ? "" : result.error().describe());
  }

  void expect_object(const std::string& key) {
    const auto reader = run(ns->open_read("b", key));
    const ModelObject* object = x_model.find(key);
    if (!object) {
      return expect_outcome(reader, Errc::no_such_key);
    }
    ASSERT_TRUE(reader) << reader.error().describe();
    const ns::ObjectInfo& info = (*reader)->info();
    ASSERT_EQ(info.size, object->data.size());
    ASSERT_EQ(info.etag, object->etag);
    ASSERT_EQ(info.attributes, object->attributes);
    ASSERT_EQ(info.checksum, object->checksum);
    ASSERT_EQ(info.parts, object->parts);
    unseal(**reader);
    ASSERT_EQ(must(read_range(**reader, {0, info.size})), object->data);
  }

  /// A quarter of all objects and uploads is sealed.
  std::string some_envelope() { return pick(4) == 0 ? std::to_string(pick(5)) : std::string(); }
  static std::optional<ns::DataKey> key_of_envelope(const std::string& envelope) {
    return envelope.empty() ? std::nullopt : std::optional(key_in(envelope));
  }
  static void unseal(ns::ObjectReader& reader) {
    if (const auto key = key_of_envelope(reader.info().attributes.envelope)) {
      reader.unseal(*key);
    }
  }
  Task<ns::ObjectInfo> put_task(std::string key,
                                std::string data,
                                ns::PutRequest request,
                                ns::WriteOptions how,
                                std::size_t step) {
    CO_TRY(auto writer, co_await ns->open_write("b", key, how));
    CO_TRYV(co_await write_all(*writer, data, step));
    co_return co_await ns->put("b", key, std::move(writer), std::move(request));
  }

  void put_some() {
    const std::string key = some_key();
    ModelObject object{.data = some_data(),
                       .etag = {},
                       .attributes = {},
                       .checksum = {},
                       .parts = {},
                       .upload_id = {}};
    object.etag = hex_etag(object.data);
    object.attributes.content_type = "t" + std::to_string(pick(5));
    object.attributes.envelope = some_envelope();
    if (pick(3) == 0) {
      object.attributes.user_meta = {{"k", std::string(pick(2000), 'm')}};
      object.checksum = {.algorithm = digest::Algorithm::crc32, .value = "abcd"};
    }
    const ns::PutRequest request{.attributes = object.attributes,
                                 .etag = object.etag,
                                 .checksum = object.checksum,
                                 .conditions = some_conditions(key)};
    const std::uint64_t hint = pick(2) == 0 ? object.data.size() : pick(300'000);
    const auto result = run(put_task(
        key, object.data, request,
        {.size_hint = hint, .seal = key_of_envelope(object.attributes.envelope), .part = 0},
        1 + pick(70'000)));
    expect_outcome(result, x_model.put(key, object, request.conditions));
  }
  // At the end, or a little behind it. "abcd", the checksum of puts, is one of nothing: appending
  // makes of it what the algebra of CRCs does.
  void append_some() {
    const std::string key = some_key();
    const ModelObject* const there = x_model.find(key);
    const std::string more = some_data();
    const std::uint64_t size = there ? there->data.size() : 0;
    ns::PutRequest request;
    request.append_at = pick(5) == 0 ? size + pick(3) : size;
    request.conditions = some_conditions(key);
    request.checksum = {.algorithm = digest::Algorithm::crc32,
                        .value = digest::Digest::of(digest::Algorithm::crc32, as_bytes(more))};
    const std::uint64_t hint = pick(2) == 0 ? more.size() : pick(300'000);
    const auto result = run(put_task(key, more, request, {.size_hint = hint}, 1 + pick(70'000)));
    expect_outcome(result, x_model.append(key, more, request));
    if (result) {
      // Nobody can say beforehand what it is, but that nothing else ever had it.
      ASSERT_TRUE(x_appended.insert(result->etag).second) << result->etag;
      x_model.objects.at(key).etag = result->etag;
    }
  }
  void remove_some() {
    const std::string key = some_key();
    const ns::Conditions conditions = some_conditions(key);
    bool existed = false;
    const auto expected = x_model.remove(key, conditions, existed);
    const auto result = run(ns->remove("b", key, conditions));
    expect_outcome(result, expected);
    if (result) {
      ASSERT_EQ(*result, existed);
    }
  }
  void read_some() { expect_object(some_key()); }
  void read_range_of_some() {
    const std::string key = some_key();
    const ModelObject* object = x_model.find(key);
    if (!object) {
      return;
    }
    auto reader = must(ns->open_read("b", key));
    unseal(*reader);
    for (int i = 0; i < 3; ++i) {
      const std::size_t offset = pick(object->data.size() + 1);
      const std::size_t length = pick(object->data.size() - offset + 1);
      ASSERT_EQ(must(read_range(*reader, {offset, length})), object->data.substr(offset, length));
    }
  }
  ns::StringPairs some_tags() {
    ns::StringPairs tags;
    for (std::size_t n = pick(4); n > 0; --n) {
      tags.emplace_back("tag" + std::to_string(n), std::to_string(pick(100)));
    }
    return tags;
  }
  void tag_some() {
    const std::string key = some_key();
    const ns::StringPairs tags = some_tags();
    expect_outcome(run(ns->set_tags("b", key, tags, {})), x_model.set_tags(key, tags));
  }
  void copy_some() {
    const std::string from = some_key();
    const std::string to = pick(4) == 0 ? from : some_key();
    ns::CopyRequest request{.source_bucket = "b",
                            .source_key = from,
                            .source_conditions = some_conditions(from),
                            .conditions = some_conditions(to),
                            .replace = {}};
    if (pick(2) == 0) {
      request.replace =
          ns::ObjectAttributes{.content_type = "copied", .headers = {}, .user_meta = {}};
    }
    if (pick(3) == 0) {
      request.tags = some_tags();
    }
    if (const ModelObject* object = x_model.find(from); object && pick(3) == 0) {
      request.source_envelope = pick(8) == 0 ? "other" : object->attributes.envelope;
      request.envelope = *request.source_envelope;
      if (pick(6) == 0) {
        request.envelope = request.envelope->empty() ? "0" : "";
      } else if (!request.envelope->empty()) {
        request.envelope->append(":").append(std::to_string(pick(100)));
      }
    }
    const auto expected = x_model.copy(from, to, request);
    expect_outcome(run(ns->copy("b", to, request)), expected);
  }
  void rename_some() {
    const std::string from = some_key();
    const std::string to = pick(10) == 0 ? from : some_key();
    if (from.ends_with('/') || to.ends_with('/')) {
      return;  // names directories: the other step
    }
    expect_outcome(run(ns->rename("b", from, to)), x_model.rename(from, to));
  }
  void rename_some_directory() {
    const std::string from = some_directory();
    const std::string to = pick(2) == 0 ? some_directory() : directory() + component() + "/";
    if (x_model.longest_after_rename(from, to) > kLongestKey) {
      return;
    }
    expect_outcome(run(ns->rename("b", from, to)), x_model.rename(from, to));
  }
  void list_some() {
    static const std::vector<std::string> kDelimiters = {"", "", "/", "/", "/", "a", "/a", "-"};
    const std::string key = some_key(), other = some_key();
    const ns::ListRequest request{
        .prefix = pick(2) == 0 ? "" : key.substr(0, pick(key.size() + 1)),
        .delimiter = kDelimiters[pick(kDelimiters.size())],
        .start_after = pick(2) == 0 ? "" : other.substr(0, pick(other.size() + 1)),
        .max_keys = pick(3) == 0 ? 1000 : pick(20)};
    const ModelPage expected = list_model(x_model.keys(), request);
    const ns::ListPage page = list(request);
    ASSERT_EQ(page.truncated, expected.truncated);
    ASSERT_EQ(page.entries.size(), expected.entries.size());
    for (std::size_t i = 0; i < page.entries.size(); ++i) {
      ASSERT_EQ(page.entries[i].key, expected.entries[i].first);
      ASSERT_EQ(page.entries[i].is_prefix, expected.entries[i].second);
      if (!page.entries[i].is_prefix) {
        ASSERT_EQ(page.entries[i].etag, x_model.find(page.entries[i].key)->etag);
        ASSERT_EQ(page.entries[i].size, x_model.find(page.entries[i].key)->data.size());
      }
    }
  }
  void create_upload_somewhere() {
    if (x_model.uploads.size() > 30) {
      return;
    }
    const std::string key = some_key();
    ns::ObjectAttributes attributes;
    attributes.envelope = some_envelope();
    const auto upload = must(ns->create_upload("b", key, attributes, {}, {}));
    x_model.uploads[upload.upload_id] = {.key = key, .attributes = attributes, .parts = {}};
    x_ids.push_back(upload.upload_id);
  }
  // Of any upload that ever was, more often of a recent one.
  std::string some_upload() {
    if (x_ids.empty()) {
      return "none";
    }
    const std::size_t recent = std::min<std::size_t>(x_ids.size(), pick(5) == 0 ? 1000 : 12);
    return x_ids[x_ids.size() - 1 - pick(recent)];
  }
  std::string key_of(const std::string& id) {
    const auto it = x_model.uploads.find(id);
    return it == x_model.uploads.end() ? some_key() : it->second.key;
  }
  NamespaceModel::Outcome expect_upload(const std::string& id) {
    return x_model.uploads.contains(id) ? std::nullopt
                                        : NamespaceModel::Outcome(Errc::no_such_upload);
  }
  void put_some_part() {
    const std::string id = some_upload(), key = key_of(id), data = some_data();
    const auto number = static_cast<std::uint32_t>(1 + pick(4));
    const auto upload = x_model.uploads.find(id);
    const std::string envelope =
        upload == x_model.uploads.end() ? "" : upload->second.attributes.envelope;
    auto writer = must(ns->open_write(
        "b", key, {.size_hint = data.size(), .seal = key_of_envelope(envelope), .part = number}));
    must(write_all(*writer, data, 30'000));
    const auto result =
        run(ns->put_part("b", key, id, number, std::move(writer), hex_etag(data), {}));
    expect_outcome(result, expect_upload(id));
    if (result) {
      x_model.uploads[id].parts[number] = {data, hex_etag(data)};
    }
  }
  void copy_some_part() {
    const std::string id = some_upload(), key = key_of(id), from = some_key();
    const ModelObject* object = x_model.find(from);
    if (!object) {
      return;
    }
    auto reader = must(ns->open_read("b", from));
    const std::size_t offset = pick(object->data.size() + 1);
    const std::size_t length =
        pick(3) == 0 ? object->data.size() - offset : pick(object->data.size() - offset + 1);
    const auto number = static_cast<std::uint32_t>(1 + pick(4));
    const auto result = run(ns->copy_part("b", key, id, number, *reader, {offset, length}, "", {}));
    auto expected = expect_upload(id);
    const bool sealed = !object->attributes.envelope.empty();
    if (sealed || (!expected && !x_model.uploads[id].attributes.envelope.empty())) {
      expected = Errc::invalid_argument;
    }
    expect_outcome(result, expected);
    if (result) {
      x_model.uploads[id].parts[number] = {object->data.substr(offset, length), result->etag};
    }
  }
  void end_some_upload() {
    const std::string id = some_upload(), key = key_of(id);
    if (pick(6) == 0) {
      expect_outcome(run(ns->abort_upload("b", key, id)), expect_upload(id));
      x_model.uploads.erase(id);
      return;
    }
    ns::CompleteRequest request{
        .parts = {}, .conditions = some_conditions(key), .object_size = {}, .checksum = {}};
    if (const auto it = x_model.uploads.find(id); it != x_model.uploads.end()) {
      for (const auto& [number, part] : it->second.parts) {
        if (pick(8) != 0) {
          request.parts.push_back({number, pick(30) == 0 ? "wrong" : part.etag, {}});
        }
      }
      if (request.parts.size() > 1 && pick(20) == 0) {
        std::swap(request.parts.front(), request.parts.back());
      }
    }
    const auto expected = x_model.complete(key, id, request, kMinPart);
    const auto result = run(ns->complete_upload("b", key, id, request));
    expect_outcome(result, expected);
    if (result) {
      ASSERT_EQ(result->etag, x_model.find(key)->etag);
    }
  }

  std::mt19937_64 x_random;
  NamespaceModel x_model;
  std::vector<std::string> x_ids;
  std::set<std::string> x_appended;
};

TEST(NamespaceModel, RandomHistories) {
  const std::uint64_t total = setting("OUTCROP_MODEL_OPS", 100'000);
  const std::uint64_t per_history = std::min<std::uint64_t>(total, 20'000);
  std::uint64_t seed = setting("OUTCROP_MODEL_SEED", 1);
  for (std::uint64_t done = 0; done < total; done += per_history, ++seed) {
    SCOPED_TRACE("OUTCROP_MODEL_SEED=" + std::to_string(seed));
    History history(seed);
    for (std::uint64_t i = 0; i < per_history; ++i) {
      history.step();
      if (i % 2000 == 1999) {
        history.check_everything();
      }
      if (::testing::Test::HasFailure()) {
        FAIL() << "at operation " << i;
      }
    }
  }
}

}  // namespace
}  // namespace outcrop::test
