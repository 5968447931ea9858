// Listings against a std::set, page by page, for keys that are odd on purpose.
#include <random>
#include <set>

#include "api/s3/list_token.h"
#include "auth/uri.h"
#include "tests/unit/api/s3/s3_fixture.h"

namespace outcrop::s3::test {
namespace {

class Lists : public S3Test {
 protected:
  static std::string encoded(const std::string& raw) {
    std::string out;
    auth::uri_encode(raw, auth::Slash::encode, out);
    return out;
  }
  static std::string decoded(const std::string& text) {
    std::string out;
    EXPECT_TRUE(auth::uri_decode(text, out));
    return out;
  }
  void put_all(const std::set<std::string>& keys) {
    for (const std::string& key : keys) {
      std::string path;
      auth::uri_encode(key, auth::Slash::keep, path);
      ASSERT_EQ(put(path, key).status, 200) << key;
    }
  }
  /// Contents and CommonPrefixes of all pages, in order of each.
  struct Walk {
    std::vector<std::string> keys, prefixes;
  };
  Walk walk_v2(const std::string& arguments) {
    Walk out;
    std::string token;
    for (int page = 0; page < 1000; ++page) {
      const std::string more = token.empty() ? "" : "&continuation-token=" + encoded(token);
      const std::string xml =
          send("GET", "/bucket?list-type=2&encoding-type=url" + arguments + more).body;
      collect(xml, out);
      if (text(xml, "IsTruncated") != "true") {
        break;
      }
      token = text(xml, "NextContinuationToken");
    }
    return out;
  }
  Walk walk_v1(const std::string& arguments) {
    Walk out;
    std::string marker;
    for (int page = 0; page < 1000; ++page) {
      const std::string xml =
          send("GET", "/bucket?encoding-type=url" + arguments + "&marker=" + encoded(marker)).body;
      collect(xml, out);
      if (text(xml, "IsTruncated") != "true") {
        break;
      }
      const std::string next = text(xml, "NextMarker");
      marker = next == "(none)" ? out.keys.back() : decoded(next);
    }
    return out;
  }
  static void collect(const std::string& xml, Walk& out) {
    for (const std::string& one : texts(xml, "Contents")) {
      out.keys.push_back(decoded(text(one, "Key")));
    }
    for (const std::string& one : texts(xml, "CommonPrefixes")) {
      out.prefixes.push_back(decoded(text(one, "Prefix")));
    }
  }
};

/// Short keys of few, awkward pieces: many shared prefixes, empty components, controls, UTF-8.
std::set<std::string> odd_keys(std::mt19937& random, int count) {
  const std::vector<std::string> pieces{"a",  "b",    "/",  "//",       ".",
                                        "..", " ",    "+",  "%",        "&",
                                        "<",  "\x01", "\n", "\xc3\xa9", "\xf0\x9f\x98\x80",
                                        "\"", "'",    "="};
  std::set<std::string> out;
  while (static_cast<int>(out.size()) < count) {
    std::string key;
    for (int n = 1 + static_cast<int>(random() % 6); n > 0; --n) {
      key += pieces[random() % pieces.size()];
    }
    out.insert(key);
  }
  return out;
}

TEST_F(Lists, PagesEqualASetForOddKeys) {
  std::mt19937 random(7);
  const std::set<std::string> keys = odd_keys(random, 120);
  put_all(keys);
  for (const std::string prefix : {"", "a", "a/", "/", "\x01"}) {
    for (const std::string delimiter : {"", "/", "//", "a"}) {
      std::vector<std::string> plain;
      std::set<std::string> rolled;
      for (const std::string& key : keys) {
        const auto cut = delimiter.empty() ? std::string::npos : key.find(delimiter, prefix.size());
        if (!key.starts_with(prefix)) {
          continue;
        }
        if (cut == std::string::npos) {
          plain.push_back(key);
        } else {
          rolled.insert(key.substr(0, cut + delimiter.size()));
        }
      }
      for (const std::string size : {"1", "3", "1000"}) {
        const std::string arguments =
            "&prefix=" + encoded(prefix) + "&delimiter=" + encoded(delimiter) + "&max-keys=" + size;
        for (const Walk& walk : {walk_v1(arguments), walk_v2(arguments)}) {
          EXPECT_EQ(walk.keys, plain) << arguments;
          EXPECT_EQ(walk.prefixes, std::vector<std::string>(rolled.begin(), rolled.end()))
              << arguments;
        }
      }
    }
  }
}

TEST_F(Lists, ClientRules_Rule16_EncodingOwnersAndEmptyArguments) {
  put_all({"a b/c&d", "plain"});
  const std::string url =
      send("GET", "/bucket?list-type=2&encoding-type=url&delimiter=%2F&prefix=&start-after=").body;
  EXPECT_EQ(texts(url, "Prefix").back(), "a%20b/");
  EXPECT_EQ(text(url, "Delimiter"), "/");
  EXPECT_EQ(text(url, "EncodingType"), "url");
  EXPECT_EQ(text(url, "KeyCount"), "2");
  EXPECT_EQ(text(url, "Owner"), "(none)");
  const std::string plain =
      send("GET", "/bucket?list-type=2&fetch-owner=true&delimiter=&prefix=a").body;
  EXPECT_EQ(text(plain, "Key"), "a b/c&amp;d");
  EXPECT_EQ(text(plain, "ID"), config.owner_id);
  EXPECT_NE(plain.find("<ETag>&quot;"), std::string::npos);
}

TEST_F(Lists, NothingWasEverRestored) {
  ASSERT_EQ(put("k", "x").status, 200);
  const Headers asks{{"x-amz-optional-object-attributes", "RestoreStatus"}};
  for (const char* list : {"/bucket?list-type=2", "/bucket", "/bucket?versions"}) {
    const Reply page = send("GET", list, asks);
    EXPECT_EQ(page.status, 200) << list;
    EXPECT_EQ(text(page.body, "Key"), "k");
    EXPECT_FALSE(page.body.contains("RestoreStatus"));
  }
  EXPECT_EQ(code(send("GET", "/bucket?list-type=2",
                      {{"x-amz-optional-object-attributes", "Everything"}})),
            "InvalidArgument");
}

TEST_F(Lists, V1NextMarkerOnlyWithADelimiter) {
  put_all({"a", "b", "c"});
  EXPECT_EQ(text(send("GET", "/bucket?max-keys=2").body, "NextMarker"), "(none)");
  EXPECT_EQ(text(send("GET", "/bucket?max-keys=2&delimiter=%2F").body, "NextMarker"), "b");
}

TEST_F(Lists, MaxKeysLimits) {
  put_all({"a", "b"});
  const std::string none = send("GET", "/bucket?list-type=2&max-keys=0").body;
  EXPECT_EQ(text(none, "KeyCount"), "0");
  EXPECT_EQ(text(none, "IsTruncated"), "false");
  EXPECT_EQ(code(send("GET", "/absent?max-keys=0")), "NoSuchBucket");
  EXPECT_EQ(text(send("GET", "/bucket?max-keys=1001").body, "MaxKeys"), "1000");
  EXPECT_EQ(text(send("GET", "/bucket?max-keys=1000").body, "MaxKeys"), "1000");
  for (const std::string bad : {"-1", "x", "2147483648"}) {
    EXPECT_EQ(code(send("GET", "/bucket?max-keys=" + bad)), "InvalidArgument") << bad;
  }
  EXPECT_EQ(send("GET", "/bucket?max-keys=2147483647").status, 200);
  EXPECT_EQ(code(send("GET", "/bucket?encoding-type=base64")), "InvalidArgument");
}

TEST_F(Lists, TokensAreOpaqueAndChecked) {
  for (const std::string bad : {"x", "a/b", "MTIzNDU2Nzg5"}) {
    EXPECT_EQ(code(send("GET", "/bucket?list-type=2&continuation-token=" + encoded(bad))),
              "InvalidArgument");
  }
  EXPECT_EQ(text(send("GET", "/bucket?list-type=2&continuation-token=").body, "KeyCount"), "0");
  EXPECT_EQ(*decode_token(encode_token("a/b\x01")), "a/b\x01");
}

TEST_F(Lists, Versions) {
  put_all({"a", "b/c", "b/d"});
  const std::string xml = send("GET", "/bucket?versions&delimiter=%2F").body;
  EXPECT_EQ(text(xml, "VersionId"), "null");
  EXPECT_EQ(text(xml, "IsLatest"), "true");
  EXPECT_EQ(texts(xml, "CommonPrefixes").size(), 1U);
  const std::string page = send("GET", "/bucket?versions&max-keys=1").body;
  EXPECT_EQ(text(page, "NextKeyMarker"), "a");
  EXPECT_EQ(text(page, "NextVersionIdMarker"), "null");
  EXPECT_EQ(text(send("GET", "/bucket?versions&key-marker=a").body, "Key"), "b/c");
}

TEST_F(Lists, Buckets) {
  for (const std::string name : {"alpha", "beta", "beta-2"}) {
    ASSERT_EQ(send("PUT", "/" + name).status, 200);
  }
  EXPECT_EQ(texts(send("GET", "/").body, "Name"),
            (std::vector<std::string>{"alpha", "beta", "beta-2", "bucket"}));
  const std::string page = send("GET", "/?max-buckets=1&prefix=beta").body;
  EXPECT_EQ(texts(page, "Name"), std::vector<std::string>{"beta"});
  const std::string rest =
      send("GET", "/?prefix=beta&continuation-token=" + encoded(text(page, "ContinuationToken")))
          .body;
  EXPECT_EQ(texts(rest, "Name"), std::vector<std::string>{"beta-2"});
  EXPECT_EQ(text(rest, "ContinuationToken"), "(none)");
  EXPECT_EQ(code(send("GET", "/?max-buckets=0")), "InvalidArgument");
  EXPECT_EQ(code(send("GET", "/?max-buckets=10001")), "InvalidArgument");
}

}  // namespace
}  // namespace outcrop::s3::test
