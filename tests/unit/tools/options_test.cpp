// Texts from the command line: what is understood, and that the rest is refused with a reason.
#include "tools/bench/options.h"

#include <cmath>

namespace outcrop::bench {
namespace {

TEST(Options, sizes) {
  EXPECT_EQ(parse_size("0").value(), 0U);
  EXPECT_EQ(parse_size("4096").value(), 4096U);
  EXPECT_EQ(parse_size("4KiB").value(), 4096U);
  EXPECT_EQ(parse_size("16MiB").value(), 16U << 20);
  EXPECT_EQ(parse_size("5GB").value(), 5'000'000'000U);
  for (const char* const bad :
       {"", "KiB", "-1", "4 KiB", "4kib", "1.5MiB", "99999999999999999999", "99999999TiB"}) {
    const auto result = parse_size(bad);
    ASSERT_FALSE(result.has_value()) << bad;
    EXPECT_EQ(result.error().code(), Errc::config);
    EXPECT_FALSE(result.error().detail().empty());
  }
}

TEST(Options, mixes) {
  EXPECT_EQ(parse_mix("put=30,get=70").value(), (Mix{30, 70, 0, 0, 0}));
  EXPECT_EQ(parse_mix("get").value(), (Mix{0, 100, 0, 0, 0}));
  EXPECT_EQ(parse_mix("put=20,get=20,head=20,list=20,delete=20").value(),
            (Mix{20, 20, 20, 20, 20}));
  for (const char* const bad :
       {"", "put=30", "put=50,get=51", "post=100", "put=", "put=x", "put=100,", "put=4294967396"}) {
    // A trailing comma is harmless.
    EXPECT_EQ(parse_mix(bad).has_value(), std::string_view(bad) == "put=100,") << bad;
  }
}

TEST(Options, endpoints) {
  const Endpoint plain = parse_endpoint("http://127.0.0.1:9000").value();
  EXPECT_FALSE(plain.tls);
  EXPECT_EQ(plain.host, "127.0.0.1");
  EXPECT_EQ(plain.port, "9000");
  EXPECT_EQ(plain.authority, "127.0.0.1:9000");
  const Endpoint tls = parse_endpoint("https://s3.example.com/").value();
  EXPECT_TRUE(tls.tls);
  EXPECT_EQ(tls.port, "443");
  EXPECT_EQ(tls.authority, "s3.example.com");
  const Endpoint v6 = parse_endpoint("http://[::1]:9000").value();
  EXPECT_EQ(v6.host, "::1");
  EXPECT_EQ(v6.port, "9000");
  EXPECT_EQ(parse_endpoint("http://[::1]").value().port, "80");
  for (const char* const bad : {"", "127.0.0.1:9000", "ftp://x", "http://", "http://host:",
                                "http://host:port", "http://a/b", "http://u@h", "http://:80"}) {
    EXPECT_FALSE(parse_endpoint(bad).has_value()) << bad;
  }
}

TEST(Options, limits) {
  Options good;
  good.access_key = "a";
  good.secret_key = "b";
  EXPECT_TRUE(check(good).has_value());
  const auto refused = [&good](auto change) {
    Options o = good;
    change(o);
    return !check(o).has_value();
  };
  EXPECT_TRUE(refused([](Options& o) { o.access_key.clear(); }));
  EXPECT_TRUE(refused([](Options& o) { o.concurrency = 0; }));
  EXPECT_TRUE(refused([](Options& o) { o.threads = 17; }));
  EXPECT_TRUE(refused([](Options& o) { o.duration_s = 0; }));
  EXPECT_TRUE(refused([](Options& o) { o.duration_s = std::nan(""); }));
  EXPECT_TRUE(refused([](Options& o) { o.timeout_s = std::nan(""); }));
  EXPECT_TRUE(refused([](Options& o) { o.ca_file = "ca.pem"; })) << "without https";
  EXPECT_TRUE(refused([](Options& o) { o.insecure = true; })) << "without https";
  EXPECT_FALSE(refused([](Options& o) {
    o.endpoint.tls = o.insecure = true;
    o.ca_file = "ca.pem";
  }));
  EXPECT_TRUE(refused([](Options& o) { o.range_size = o.size + 1; }));
  EXPECT_TRUE(refused([](Options& o) { o.objects = 0; }));
  EXPECT_TRUE(refused([](Options& o) { o.list_keys = 1001; }));
  EXPECT_TRUE(refused([](Options& o) {
    o.multipart = true;
    o.size = 10'001;
    o.part_size = 1;
  }));
}

}  // namespace
}  // namespace outcrop::bench
