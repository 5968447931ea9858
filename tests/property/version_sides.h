// The two sides of a history of versions: the namespace, and the reference that it is compared
// with. Ids differ, and must correspond. Half of the seeds have Object Lock.
#pragma once
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/property/version_words.h"
#include "tests/support/namespace_fixture.h"
#include "tests/support/reference_namespace.h"

namespace outcrop::test {

class VersionSides : public NamespaceFixture, public VersionWords {
 public:
  VersionSides(std::uint64_t seed, std::uint64_t min_part)
      : NamespaceFixture({.object_cache_bytes = 1 << 20,
                          .directory_cache_bytes = 1 << 18,
                          .min_part_bytes = min_part,
                          .inode_block = 5000},
                         0,
                         48 << 10),
        VersionWords(seed),
        x_model(clock, {.min_part_bytes = min_part, .piece_bytes = 1 << 16}) {
    const bool locks = seed % 2 == 1;
    must(ns->create_bucket("b", "", locks));
    must(x_model.create_bucket("b", "", locks));
  }

 protected:
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
      bind(std::string(ns::parse_marker_detail(real.error().detail()).version_id),
           std::string(ns::parse_marker_detail(model.error().detail()).version_id));
    }
    return real && model;
  }

  Task<std::string> read_task(ns::Namespace& of, std::string key, std::string id) {
    CO_TRY(auto reader, co_await of.open_read("b", key, id));
    const ns::ObjectInfo& info = reader->info();
    CO_TRY(std::string data, co_await read_range(*reader, {0, info.size}));
    co_return data + "|" + info.etag + "|" + info.attributes.content_type + "|" +
        std::to_string(info.parts.size()) + "|" + tags_text(info) + lock_text(info) +
        (info.current ? "" : "|old");
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
  Task<ns::ObjectInfo> model_put(std::string key, std::string data, ns::PutRequest request) {
    CO_TRY(auto writer, co_await x_model.open_write("b", key, data.size()));
    CO_TRYV(co_await write_all(*writer, data, 1 << 20));
    co_return co_await x_model.put("b", key, std::move(writer), std::move(request));
  }

  testing::ReferenceNamespace x_model;

 private:
  std::map<std::string, std::string> x_ids;
};

}  // namespace outcrop::test
