#include <gtest/gtest.h>

#include <set>

#include "tests/support/list_model.h"
#include "tests/support/namespace_fixture.h"

namespace outcrop::ns {
namespace {

class List : public ::testing::Test, protected test::NamespaceFixture {
 protected:
  List() { must(ns->create_bucket("b", "")); }
  ~List() override { expect_clean(); }

  std::set<std::string> fill_random(std::mt19937& random, int count) {
    static const std::vector<std::string> kParts = {"",
                                                    ".",
                                                    "..",
                                                    "a",
                                                    "b",
                                                    "a-b",
                                                    "a.txt",
                                                    "a0",
                                                    "\x01",
                                                    "\xff",
                                                    "\xff\xff",
                                                    std::string("\0", 1),
                                                    std::string("\0\xff", 2),
                                                    "~",
                                                    std::string(200, 'l')};
    std::set<std::string> keys;
    for (int i = 0; i < count; ++i) {
      std::string key;
      for (unsigned depth = random() % 5; depth > 0; --depth) {
        key += kParts[random() % kParts.size()] + "/";
      }
      key += kParts[random() % kParts.size()];
      if (!key.empty() && key.size() <= kMaxKeyBytes) {
        put(key);
        keys.insert(key);
      }
    }
    return keys;
  }

  void compare(const std::set<std::string>& keys, const ListRequest& request) {
    const ListPage page = list(request);
    const test::ModelPage expected = test::list_model(keys, request);
    std::vector<std::pair<std::string, bool>> got;
    for (const auto& entry : page.entries) {
      got.emplace_back(entry.key, entry.is_prefix);
    }
    ASSERT_EQ(got, expected.entries)
        << "prefix '" << ::testing::PrintToString(request.prefix) << "' delimiter '"
        << request.delimiter << "' after " << ::testing::PrintToString(request.start_after)
        << " max " << request.max_keys;
    ASSERT_EQ(page.truncated, expected.truncated);
  }
};

TEST_F(List, EveryStartAfterOfOddKeysInByteOrder) {
  std::mt19937 random(1);
  const auto keys = fill_random(random, 400);
  for (const std::string& delimiter : {std::string(), std::string("/"), std::string("a"),
                                       std::string("/a"), std::string("\xff"), std::string("b/")}) {
    compare(keys, {.prefix = "", .delimiter = delimiter, .start_after = "", .max_keys = 5000});
    int step = 0;
    for (const std::string& after : keys) {
      compare(keys, {.prefix = "",
                     .delimiter = delimiter,
                     .start_after = after,
                     .max_keys = ++step % 3 == 0 ? 2000ul : 3ul});
    }
  }
}

TEST_F(List, RandomPrefixesDelimitersAndPages) {
  std::mt19937 random(2);
  const auto keys = fill_random(random, 600);
  const std::vector<std::string> all(keys.begin(), keys.end());
  const auto piece = [&] {
    const std::string& key = all[random() % all.size()];
    return key.substr(0, random() % (key.size() + 1));
  };
  for (int i = 0; i < 3000; ++i) {
    const std::string key = all[random() % all.size()];
    const std::vector<std::string> delimiters = {"", "/", "/", "a", "-", "//", "/.", key};
    compare(keys, {.prefix = random() % 3 == 0 ? "" : piece(),
                   .delimiter = delimiters[random() % delimiters.size()],
                   .start_after = random() % 2 == 0 ? "" : piece(),
                   .max_keys = random() % 4 == 0 ? 1000 : random() % 12});
  }
}

TEST_F(List, PagesJoinUp) {
  std::mt19937 random(3);
  const auto keys = fill_random(random, 500);
  for (const std::string& delimiter : {std::string(), std::string("/"), std::string(".")}) {
    std::vector<std::string> got;
    ListRequest request{.prefix = "", .delimiter = delimiter, .start_after = "", .max_keys = 7};
    for (bool more = true; more;) {
      const ListPage page = list(request);
      for (const auto& entry : page.entries) {
        got.push_back(entry.key);
      }
      more = page.truncated;
      if (more) {
        ASSERT_EQ(page.entries.size(), 7u);
        request.start_after = page.entries.back().key;
      }
    }
    std::vector<std::string> expected;
    const auto whole = test::list_model(
        keys, {.prefix = "", .delimiter = delimiter, .start_after = "", .max_keys = 100'000});
    for (const auto& [key, prefix] : whole.entries) {
      expected.push_back(key);
    }
    EXPECT_EQ(got, expected);
  }
}

TEST_F(List, EntriesShowWhatStatShows) {
  put("k", "hello",
      {.attributes = {},
       .etag = "e",
       .checksum = {.algorithm = digest::Algorithm::crc32c, .value = "1234"},
       .conditions = {}});
  const ObjectInfo info = must(ns->stat("b", "k"));
  const ListPage page = list({});
  ASSERT_EQ(page.entries.size(), 1u);
  EXPECT_EQ(page.entries[0].size, 5u);
  EXPECT_EQ(page.entries[0].mtime_ns, info.mtime_ns);
  EXPECT_EQ(page.entries[0].etag, "e");
  EXPECT_EQ(page.entries[0].checksum_algorithm, digest::Algorithm::crc32c);
}

TEST_F(List, AMirrorThatIsLostInTheMiddleIsReplacedByAnother) {
  for (int i = 0; i < 30; ++i) {
    put("d" + std::to_string(i % 3) + "/k" + std::to_string(i));
  }
  const ns::ListRequest all{.prefix = "", .delimiter = "", .start_after = "", .max_keys = 1000};
  const std::vector<std::string> want = names(all);
  ASSERT_EQ(want.size(), 30u);
  for (unsigned lost = 1; lost <= 3; ++lost) {
    meta.fail_scans(Errc::unavailable, lost);
    EXPECT_EQ(names(all), want) << lost << " mirrors lost, one after the other";
  }
  meta.fail_scans(Errc::unavailable, 1000);
  const auto none_left = run(ns->list("b", all));
  ASSERT_FALSE(none_left);
  EXPECT_EQ(none_left.error().code(), Errc::unavailable);
  // Damage is not a mirror that went away: it is told, not tried over.
  meta.fail_scans(Errc::corrupt, 1);
  const auto corrupt = run(ns->list("b", all));
  ASSERT_FALSE(corrupt);
  EXPECT_EQ(corrupt.error().code(), Errc::corrupt);
  EXPECT_EQ(names(all), want);
}

TEST_F(List, CostIsLinearInThePageNotInTheBucket) {
  for (int i = 0; i < 3000; ++i) {
    put("d" + std::to_string(i % 30) + "/k" + std::to_string(i));
  }
  const auto count = [&](ListRequest request) {
    const auto before = meta.scans() + meta.gets();
    list(std::move(request));
    return meta.scans() + meta.gets() - before;
  };
  EXPECT_LE(count({.prefix = "", .delimiter = "", .start_after = "d20/k2", .max_keys = 10}), 6u);
  EXPECT_LE(count({.prefix = "d7/", .delimiter = "/", .start_after = "", .max_keys = 1000}), 5u);
  EXPECT_LE(count({.prefix = "", .delimiter = "/", .start_after = "", .max_keys = 1000}), 3u);
  // Another delimiter: a seek per common prefix, not a walk over the keys below.
  EXPECT_LE(count({.prefix = "", .delimiter = "/k", .start_after = "", .max_keys = 1000}), 30 * 8u);
}

}  // namespace
}  // namespace outcrop::ns
