// What an export may do as an access key: all of a directory, or not at all. Everything that is
// allowed as a whole is allowed for each key.
#include "auth/access/export_rights.h"

#include <gtest/gtest.h>

#include <random>

#include "auth/policy/below.h"
#include "storage/base/async.h"
#include "tests/support/mem_meta_store.h"

namespace outcrop::access {
namespace {

constexpr Rights kEverything{.read = true, .write = true, .list = true};
constexpr Rights kNothing{};
constexpr InodeId kRoot = 77;

std::string statement(const std::string& effect,
                      const std::string& action,
                      const std::string& resource,
                      const std::string& more = "") {
  return R"({"Effect":")" + effect + R"(","Action":)" + action + R"(,"Resource":)" + resource +
         more + "}";
}
std::string document(const std::string& statements) {
  return R"({"Version":"2012-10-17","Statement":[)" + statements + "]}";
}
const std::string kAll = R"("s3:*")", kAny = R"("*")";

class ExportRights : public ::testing::Test {
 protected:
  ExportRights() {
    identities = run_sync(identity::IdentityStore::open({meta, clock, random}, {},
                                                        {"ROOT", "rootsecret", true, {}}))
                     .value();
    table = run_sync(AccessTable::open(meta, {}, policy::kBlockAll)).value();
    const auto make = [](identity::IdentityStore& s) -> Task<std::string> {
      std::ignore = co_await s.create({.kind = identity::EntityKind::user,
                                       .name = "alice",
                                       .path = "/",
                                       .description = "",
                                       .trust = ""});
      const auto key = co_await s.create_key("alice");
      co_return (*key)->id;
    };
    alice = run_sync(make(*identities)).value();
  }
  void give(const std::string& text) {
    const auto put = [](identity::IdentityStore& s, std::string policy) -> Task<bool> {
      const auto done =
          co_await s.put_inline(identity::EntityKind::user, "alice", "p", std::move(policy));
      co_return done.has_value();
    };
    EXPECT_TRUE(run_sync(put(*identities, text)).value()) << text;
  }
  void on_bucket(const std::string& text) {
    BucketAccess next;
    next.bucket = "b";
    next.root = kRoot;
    const auto set = set_policy(next, text);
    EXPECT_TRUE(set) << (set ? "" : set.error());
    const auto put = [](AccessTable& t, BucketAccess access) -> Task<> {
      const AccessTable::Held held = co_await t.lock();
      co_return co_await t.put(held, std::move(access));
    };
    EXPECT_TRUE(run_sync(put(*table, std::move(next))));
  }
  Rights rights(const std::string& prefix = "", const std::string& bucket = "b") {
    return rights_below(*identities, *table, alice, bucket, prefix);
  }
  Rights rights_with(const std::string& statements, const std::string& prefix = "") {
    give(document(statements));
    return rights(prefix);
  }

  test::MemMetaStore meta;
  SystemClock clock;
  SeededRandom random{1};
  std::unique_ptr<identity::IdentityStore> identities;
  std::unique_ptr<AccessTable> table;
  std::string alice;
};

TEST_F(ExportRights, TheRootUserAndNobody) {
  EXPECT_EQ(rights_below(*identities, *table, "", "b", ""), kEverything);
  EXPECT_EQ(rights_below(*identities, *table, "ROOT", "b", "d"), kEverything);
  EXPECT_EQ(rights_below(*identities, *table, "NOSUCHKEY", "b", ""), kNothing);
  EXPECT_EQ(rights(), kNothing);
}

TEST_F(ExportRights, BucketsOfOtherAccounts) {
  const auto make = [](identity::IdentityStore& s) -> Task<identity::IdentityStore::NewAccount> {
    const auto made = co_await s.create_account("lab", "");
    co_return *made;
  };
  const identity::IdentityStore::NewAccount lab = run_sync(make(*identities)).value();
  const auto put = [&](const std::string& policy, Ownership ownership = Ownership::enforced) {
    BucketAccess next;
    next.bucket = "b";
    next.root = kRoot;
    next.ownership = ownership;
    next.account = lab.account->id;
    next.owner = lab.account->canonical_id;
    EXPECT_TRUE(policy.empty() || set_policy(next, policy));
    const auto store = [](AccessTable& t, BucketAccess access) -> Task<> {
      const AccessTable::Held held = co_await t.lock();
      co_return co_await t.put(held, std::move(access));
    };
    EXPECT_TRUE(run_sync(store(*table, std::move(next))));
  };
  put("", Ownership::writer);  // objects may be others'
  EXPECT_EQ(rights_below(*identities, *table, lab.key->id, "b", ""),
            (Rights{.read = false, .write = true, .list = true}));
  EXPECT_EQ(rights_below(*identities, *table, "ROOT", "b", ""), kEverything);
  put("");
  EXPECT_EQ(rights_below(*identities, *table, lab.key->id, "b", ""), kEverything);
  EXPECT_EQ(rights_below(*identities, *table, lab.key->id, "other", ""), kNothing);
  EXPECT_EQ(rights_below(*identities, *table, "ROOT", "b", ""), kEverything);
  const std::string all = statement("Allow", kAll, kAny);
  EXPECT_EQ(rights_with(all), kNothing);  // the bucket is not of the first account
  EXPECT_EQ(rights("", "other"), kEverything);
  const std::string for_alice =
      document(statement("Allow", kAll, R"(["arn:aws:s3:::b","arn:aws:s3:::b/*"])",
                         R"(,"Principal":{"AWS":"arn:aws:iam::000000000000:user/alice"})"));
  put(for_alice);
  EXPECT_EQ(rights(), kEverything);
  give(document(statement("Deny", kAll, R"("arn:aws:s3:::nothing")")));
  EXPECT_EQ(rights(), kNothing);  // his own account does not let him
}

TEST_F(ExportRights, IdentityPolicies) {
  EXPECT_EQ(rights_with(statement("Allow", kAll, kAny)), kEverything);
  EXPECT_EQ(rights_with(statement("Allow", R"("s3:GetObject")", kAny)),
            (Rights{.read = true, .write = false, .list = false}));
  EXPECT_EQ(rights_with(statement("Allow", R"("s3:PutObject")", kAny)), kNothing);
  EXPECT_EQ(rights_with(statement("Allow", R"(["s3:PutObject","s3:DeleteObject"])",
                                  R"("arn:aws:s3:::b/*")")),
            (Rights{.read = false, .write = true, .list = false}));
  EXPECT_EQ(rights_with(statement("Allow", kAll, R"("arn:aws:s3:::b")")),
            (Rights{.read = false, .write = false, .list = true}));
  EXPECT_EQ(rights_with(statement("Allow", kAll, R"("arn:aws:s3:::other*")")), kNothing);
  EXPECT_EQ(rights_with(statement("Allow", kAll, R"("arn:aws:s3:::b/*.jpg")")), kNothing);
  EXPECT_EQ(rights_with(statement("Allow", kAll, R"("arn:aws:s3:::${aws:username}*")")), kNothing);
}

TEST_F(ExportRights, Prefixes) {
  const std::string own =
      statement("Allow", R"("s3:GetObject")", R"("arn:aws:s3:::b/${aws:username}/*")");
  EXPECT_TRUE(rights_with(own, "alice").read);
  EXPECT_TRUE(rights_with(own, "alice/deep/er").read);
  EXPECT_FALSE(rights_with(own, "").read);
  EXPECT_FALSE(rights_with(own, "bob").read);
  EXPECT_FALSE(rights_with(own, "alicea").read);
  const auto list = [&](const std::string& pattern) {
    return statement("Allow", R"("s3:ListBucket")", R"("arn:aws:s3:::b")",
                     R"(,"Condition":{"StringLike":{"s3:prefix":")" + pattern + "\"}}");
  };
  EXPECT_TRUE(rights_with(list("home/*"), "home").list);
  EXPECT_TRUE(rights_with(list("home/*"), "home/x").list);
  EXPECT_FALSE(rights_with(list("home/*"), "").list);
  EXPECT_FALSE(rights_with(list("home/"), "home").list);
}

TEST_F(ExportRights, ADenyForSomeIsADenyForTheWhole) {
  const std::string all = statement("Allow", kAll, kAny) + ",";
  EXPECT_EQ(rights_with(all + statement("Deny", R"("s3:Delete*")", R"("arn:aws:s3:::b/d/kept/*")")),
            (Rights{.read = true, .write = false, .list = true}));
  EXPECT_EQ(rights_with(all + statement("Deny", kAll, R"("arn:aws:s3:::b/d/*")"), "e"),
            kEverything);
  EXPECT_EQ(rights_with(all + statement("Deny", kAll, R"("arn:aws:s3:::b/d/*")"), "d/x"),
            (Rights{.read = false, .write = false, .list = true}));
  // Conditions about a request cannot be judged here: they count against it.
  const std::string secure = R"(,"Condition":{"Bool":{"aws:SecureTransport":"false"}})";
  EXPECT_EQ(rights_with(all + statement("Deny", R"("s3:GetObject")", kAny, secure)),
            (Rights{.read = false, .write = true, .list = true}));
  EXPECT_EQ(rights_with(statement("Allow", kAll, kAny, secure)), kNothing);
  const std::string me = R"(,"Condition":{"StringEquals":{"aws:username":"alice"}})";
  const std::string other = R"(,"Condition":{"StringEquals":{"aws:username":"bob"}})";
  EXPECT_EQ(rights_with(statement("Allow", kAll, kAny, me)), kEverything);
  EXPECT_EQ(rights_with(all + statement("Deny", kAll, kAny, other)), kEverything);
}

// A question mark is one character here as in every other decision, however many bytes it has.
TEST_F(ExportRights, QuestionMarksAreCharacters) {
  const std::string all = statement("Allow", kAll, kAny) + ",";
  const auto left = [&](const std::string& denied, const std::string& prefix) {
    return rights_with(
        all + statement("Deny", R"("s3:GetObject")", "\"arn:aws:s3:::" + denied + "\""), prefix);
  };
  for (const char* name : {"e", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}) {
    EXPECT_FALSE(left("b/?/*", name).read) << name;
    EXPECT_FALSE(left("b/*?/x", name).read) << name;
    EXPECT_FALSE(left("b/??", name).read) << name;  // the directory and its slash
    EXPECT_TRUE(left("b/?x*", name).read) << name;
  }
}

TEST_F(ExportRights, NotResource) {
  const auto without = [](const std::string& effect, const std::string& resource) {
    return R"({"Effect":")" + effect + R"(","Action":"s3:*","NotResource":")" + resource + "\"}";
  };
  EXPECT_TRUE(rights_with(without("Allow", "arn:aws:s3:::b/d/*"), "e").read);
  EXPECT_FALSE(rights_with(without("Allow", "arn:aws:s3:::b/d/*"), "d").read);
  EXPECT_FALSE(rights_with(without("Allow", "arn:aws:s3:::b/d/*"), "").read);
  const std::string all = statement("Allow", kAll, kAny) + ",";
  EXPECT_TRUE(rights_with(all + without("Deny", "arn:aws:s3:::b/d/*"), "d").read);
  EXPECT_FALSE(rights_with(all + without("Deny", "arn:aws:s3:::b/d/*"), "").read);
  EXPECT_FALSE(rights_with(all + without("Deny", "arn:aws:s3:::b/d/*"), "e").read);
}

TEST_F(ExportRights, BucketPoliciesAndKeysThatAreSwitchedOff) {
  unsigned changes = 0;
  table->on_change([&] { ++changes; });
  on_bucket(document(
      R"({"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:user/alice"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"},)"
      R"({"Effect":"Deny","Principal":"*","Action":"s3:DeleteObject","Resource":"arn:aws:s3:::b/*"})"));
  EXPECT_EQ(changes, 1U);
  EXPECT_EQ(rights(), (Rights{.read = true, .write = false, .list = false}));
  EXPECT_EQ(rights("", "c"), kNothing);
  EXPECT_EQ(rights_below(*identities, *table, "", "b", ""),
            (Rights{.read = true, .write = false, .list = true}));
  const auto off = [](identity::IdentityStore& s, std::string id) -> Task<bool> {
    const auto done = co_await s.set_key_active("alice", id, false);
    co_return done.has_value();
  };
  EXPECT_TRUE(run_sync(off(*identities, alice)).value());
  EXPECT_EQ(rights(), kNothing);
}

/// Any values for the keys of requests; the caller's own are fixed.
class AnyContext final : public policy::Context {
 public:
  explicit AnyContext(std::mt19937& random) : x_random(random) {}
  void values(const policy::KeyName& key, policy::Values& out) const override {
    if (key.key == policy::Key::username) {
      out.add("alice");
    } else if (key.key == policy::Key::source_ip) {
      out.add(one_request || x_random() % 2 == 0 ? "10.0.0.1" : "11.0.0.1");
    } else if (key.key == policy::Key::prefix) {
      out.add(prefix);
    } else if (key.key == policy::Key::existing_object_tag && x_random() % 2 == 0) {
      out.add(x_random() % 2 == 0 ? "d" : "e");
    }
  }
  std::string prefix;
  bool one_request = false;  ///< it has one address; tags are of each object in any case

 private:
  std::mt19937& x_random;
};

TEST_F(ExportRights, StrangersStayOutWherePublicAccessIsRestricted) {
  const auto open = policy::Policy::compile(
      document(
          R"({"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::b/*"})"),
      policy::PolicyKind::bucket, "b");
  ASSERT_TRUE(open);
  policy::PolicySet set;
  set.bucket = &*open;
  set.bucket_is_public = true;
  const policy::Subject nobody;
  std::mt19937 rng(7);
  const AnyContext context(rng);
  const auto allowed = [&] {
    return policy::allowed_below(
        set, policy::find_action("s3:PutObject").value(),
        {.bucket = "b", .prefix = "d/", .subject = nobody, .context = context});
  };
  EXPECT_TRUE(allowed());
  set.block.restrict_public_buckets = true;
  EXPECT_FALSE(allowed());
}

const std::vector<std::string> kResources{"*",
                                          "arn:aws:s3:::b/*",
                                          "arn:aws:s3:::b",
                                          "arn:aws:s3:::b/d/*",
                                          "arn:aws:s3:::b/*/x",
                                          "arn:aws:s3:::b*",
                                          "arn:aws:s3:::b/${aws:username}/*",
                                          "arn:aws:s3:::b/?/*",
                                          "arn:aws:s3:::b/??x",
                                          "arn:aws:s3:::b/*?/x",
                                          "arn:aws:s3:::b/${s3:ExistingObjectTag/t,'d'}/*",
                                          "arn:aws:s3:::*"};
const std::vector<std::string> kConditions{
    "",
    "",
    R"(,"Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}})",
    R"(,"Condition":{"StringLike":{"s3:prefix":"d/*"}})",
    R"(,"Condition":{"StringNotEquals":{"aws:username":"alice"}})",
    R"(,"Condition":{"StringEquals":{"s3:ExistingObjectTag/t":"d"}})",
    R"(,"Condition":{"StringNotEquals":{"s3:ExistingObjectTag/t":"d"}})",
    R"(,"Condition":{"StringEquals":{"aws:username":"${s3:ExistingObjectTag/t,'alice'}"}})"};

const std::vector<std::string> kActions{"s3:GetObject", "s3:PutObject", "s3:ListBucket"};

/// Of a bucket with a Principal: the user by name, or everybody.
std::string random_statements(std::mt19937& rng, bool of_bucket) {
  const auto any = [&](const std::vector<std::string>& list) { return list[rng() % list.size()]; };
  std::string out;
  for (std::size_t n = 1 + rng() % 3; n > 0; --n) {
    const std::string element = rng() % 5 == 0 ? "NotResource" : "Resource";
    out += (out.empty() ? "" : ",") + std::string(R"({"Effect":")") +
           (rng() % 3 == 0 ? "Deny" : "Allow") + "\"" +
           (!of_bucket       ? ""
            : rng() % 2 == 0 ? R"(,"Principal":"*")"
                             : R"(,"Principal":{"AWS":"arn:aws:iam::000000000000:user/alice"})") +
           R"(,"Action":")" + (rng() % 2 == 0 ? "s3:*" : any(kActions)) + "\",\"" + element +
           R"(":")" + any(kResources) + "\"" + any(kConditions) + "}";
  }
  return out;
}

TEST_F(ExportRights, WhatIsAllowedAsAWholeIsAllowedForEachKey) {
  std::mt19937 rng(7);
  const std::vector<std::string> prefixes{"", "d/", "alice/", "d/e/", "\xc3\xa9/"},
      tails{"", "x", "e/x", "alice/x", "d/x", "\xe2\x82\xac"};
  const policy::Subject subject{.kind = policy::Subject::Kind::user,
                                .account = policy::kAccount,
                                .arn = "arn:aws:iam::000000000000:user/alice",
                                .role_arn = {},
                                .canonical_id = {}};
  const auto any = [&](const std::vector<std::string>& list) { return list[rng() % list.size()]; };
  unsigned whole = 0, by_name = 0;
  for (int round = 0; round < 12'000; ++round) {
    const std::string statements = random_statements(rng, false),
                      limits = random_statements(rng, false), theirs = random_statements(rng, true);
    const auto compiled =
        policy::Policy::compile(document(statements), policy::PolicyKind::identity);
    const auto limit = policy::Policy::compile(document(limits), policy::PolicyKind::identity);
    const auto bucket = policy::Policy::compile(document(theirs), policy::PolicyKind::bucket, "b");
    ASSERT_TRUE(compiled && limit) << statements << limits;
    const policy::Policy* const list[] = {&*compiled};
    policy::PolicySet set;
    set.identity = list;
    set.boundary = rng() % 2 == 0 ? &*limit : nullptr;
    set.bucket = bucket && rng() % 2 == 0 ? &*bucket : nullptr;
    AnyContext context(rng);
    context.one_request = rng() % 2 == 0;
    const std::string prefix = any(prefixes), action_name = any(kActions);
    const policy::Action action = policy::find_action(action_name).value();
    const policy::Below below{.bucket = "b",
                              .prefix = prefix,
                              .subject = subject,
                              .context = context,
                              .one_request = context.one_request};
    if (!policy::allowed_below(set, action, below)) {
      continue;
    }
    ++whole;
    if (set.boundary != nullptr) {
      policy::PolicySet own = set;
      own.bucket = nullptr;
      by_name += policy::allowed_below(own, action, below) ? 0 : 1;
    }
    for (const std::string& tail : tails) {
      const bool lists = action_name == "s3:ListBucket";
      const std::string resource = lists ? "b" : "b/" + prefix + tail;
      context.prefix = lists || !context.one_request ? prefix + tail : "";
      const policy::Request request{.action = action,
                                    .resource = {{"aws", "s3", "", "", resource}},
                                    .subject = subject,
                                    .context = context};
      EXPECT_TRUE(policy::decide(set, request).allowed) << statements << "\n"
                                                        << (set.boundary ? limits : "") << "\n"
                                                        << (set.bucket ? theirs : "") << "\n"
                                                        << action_name << " " << resource;
    }
  }
  EXPECT_GT(whole, 400U);
  EXPECT_GT(by_name, 10U);
}

}  // namespace
}  // namespace outcrop::access
