// Random policies and requests: the compiled evaluator against the slow one of policy_oracle.h, the
// decision against the rule in one line, and sessions that never exceed their parent.
// OUTCROP_MODEL_OPS says how many pairs of policy set and request, OUTCROP_MODEL_SEED which.
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "auth/policy/evaluate.h"
#include "tests/property/policy_oracle.h"

namespace outcrop::test {
namespace {

constexpr std::size_t kRequestsPerPolicy = 10;

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

using List = std::vector<std::string>;

const List kActionNames{"s3:GetObject",  "s3:PutObject",   "s3:DeleteObject",
                        "s3:ListBucket", "iam:CreateUser", "s3:ListAllMyBuckets"};
const List kActionPatterns{
    "*",          "s3:*",          "s3:Get*", "s3:?etObject", "S3:getobject", "s3:Put*",
    "s3:*Object", "s3:ListBucket", "iam:*",   "s3:List*",     "*:*Bucket*"};
const List kResources{"arn:aws:s3:::b",         "arn:aws:s3:::b/",
                      "arn:aws:s3:::b/a",       "arn:aws:s3:::b/alice/a",
                      "arn:aws:s3:::b/x:y/z",   "arn:aws:s3:::c/a",
                      "arn:aws:s3:::b/al*ce/a", "arn:aws:iam::000000000000:user/bob"};
const List kResourcePatterns{"*",
                             "arn:aws:s3:::*",
                             "arn:aws:s3:::b",
                             "arn:aws:s3:::b*",
                             "arn:aws:s3:::b/*",
                             "arn:aws:s3:::b/?",
                             "arn:aws:s3:::b/${aws:username}/*",
                             "arn:aws:s3:::b/${aws:PrincipalTag/team, 'alice'}/*",
                             "arn:aws:s3:::b/*/a",
                             "arn:aws:s3:::*/*l*e*/*",
                             "arn:*:*:*:*:b/x:*",
                             "arn:aws:s3:::b/al${*}ce/a"};
const std::string kAlice = "arn:aws:iam::000000000000:user/alice";
const std::string kRole = "arn:aws:iam::000000000000:role/r";
const std::string kSession = "arn:aws:sts::000000000000:assumed-role/r/s";
const std::string kRootArn = "arn:aws:iam::000000000000:root";
const List kPrincipals{R"("*")",
                       R"({"AWS":"*"})",
                       R"({"AWS":"000000000000"})",
                       R"({"AWS":[")" + kRootArn + R"("]})",
                       R"({"AWS":[")" + kAlice + R"("]})",
                       R"({"AWS":[")" + kRole + R"(","arn:aws:iam::000000000000:user/bob"]})",
                       R"({"AWS":")" + kSession + R"("})",
                       R"({"Service":"x.amazonaws.com"})"};

/// A kind of condition: operators, keys, and values that fit them on both sides.
struct Family {
  List operators, keys, wanted, present;
};
const std::vector<Family> kFamilies{
    {{"StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase",
      "StringNotEqualsIgnoreCase", "stringequals"},
     {"s3:prefix", "S3:Delimiter", "aws:username", "s3:RequestObjectTagKeys",
      "s3:ExistingObjectTag/T", "aws:PrincipalTag/team", "aws:SourceVpc"},
     {"a", "alice", "*", "a*", "?", "ALICE", "", "${aws:username}", "${aws:username}*", "a${*}",
      "${s3:prefix}", "${aws:PrincipalTag/team, 'a'}", "${s3:RequestObjectTagKeys}"},
     {"a", "A", "", "alice", "a*", "ab", "*"}},
    {{"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals",
      "NumericGreaterThan", "NumericGreaterThanEquals"},
     {"s3:max-keys"},
     {"1", "10", "10.5", "-3"},
     {"1", "10", "11", "-3", "ten", "1e3", ""}},
    {{"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan",
      "DateGreaterThanEquals"},
     {"aws:CurrentTime", "aws:TokenIssueTime"},
     {"2026-11-21T23:19:36Z", "2026-11-21", "1795303176"},
     {"2026-11-21T23:19:36Z", "2026-11-22", "1795303175", "now"}},
    {{"Bool"}, {"aws:SecureTransport"}, {"true", "false", "False"}, {"true", "false", "maybe"}},
    {{"IpAddress", "NotIpAddress"},
     {"aws:SourceIp"},
     {"10.0.0.0/8", "10.1.2.3", "0.0.0.0/0", "2001:db8::/33", "::/0", "10.1.0.0/15"},
     {"10.1.2.3", "10.3.0.1", "11.0.0.1", "2001:db8:7fff::1", "2001:db8:8000::", "::ffff:10.1.2.3",
      "x"}},
    {{"ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"},
     {"aws:PrincipalArn"},
     {"*", "arn:aws:iam::*:user/*", "arn:aws:iam::000000000000:user/${aws:username}", kRole},
     {kAlice, kRole, kSession, "x"}},
    {{"Null"}, {"s3:prefix", "aws:username", "s3:RequestObjectTagKeys"}, {"true", "false"}, {"a"}}};

class Generator {
 public:
  explicit Generator(std::uint64_t seed) : x_random(seed) {}

  std::size_t pick(std::size_t n) { return x_random() % n; }
  bool chance(std::size_t one_in) { return pick(one_in) == 0; }
  const std::string& any(const List& list) { return list[pick(list.size())]; }

  std::string policy(bool with_principal) {
    std::string out = chance(4) ? R"({"Version":"2008-10-17","Statement":[)"
                                : R"({"Version":"2012-10-17","Statement":[)";
    const std::size_t n = 1 + pick(3);
    for (std::size_t i = 0; i < n; ++i) {
      out += (i > 0 ? "," : "") + statement(with_principal);
    }
    return out + "]}";
  }

  OracleRequest request() {
    OracleRequest out;
    out.action = any(kActionNames);
    out.resource = any(kResources);
    switch (pick(4)) {
      case 0:
        out.anonymous = true;
        break;
      case 1:
        out.root = true;
        out.arn = kRootArn;
        break;
      case 2:
        out.arn = kAlice;
        break;
      default:
        out.arn = kSession;
        out.role_arn = kRole;
    }
    for (const Family& family : kFamilies) {
      for (const std::string& key : family.keys) {
        if (key != "aws:SourceVpc" && !chance(3)) {
          fill(out, key, family);
        }
      }
    }
    return out;
  }

 private:
  void fill(OracleRequest& out, const std::string& key, const Family& family) {
    const std::size_t slash = key.find('/');
    std::string name = key.substr(0, slash);
    std::ranges::transform(name, name.begin(),
                           [](char c) { return static_cast<char>(std::tolower(c)); });
    name += slash == std::string::npos ? "" : key.substr(slash);
    List& values = out.context[name];
    const std::size_t n = name == "s3:requestobjecttagkeys" ? 1 + pick(6) : 1;
    values.clear();
    for (std::size_t i = 0; i < n; ++i) {
      values.push_back(any(family.present));
    }
  }

  std::string texts(const List& from) {
    if (chance(2)) {
      return "\"" + any(from) + "\"";
    }
    std::string out = "[";
    const std::size_t n = 1 + pick(3);
    for (std::size_t i = 0; i < n; ++i) {
      out += (i > 0 ? ",\"" : "\"") + any(from) + "\"";
    }
    return out + "]";
  }

  std::string conditions() {
    std::string out;
    std::set<std::string> used;
    const std::size_t n = 1 + pick(2);
    for (std::size_t i = 0; i < n; ++i) {
      const Family& family = kFamilies[pick(kFamilies.size())];
      std::string op = any(family.operators);
      if (op != "Null") {
        op = (chance(5)   ? "ForAllValues:"
              : chance(4) ? "ForAnyValue:"
                          : "") +
             op + (chance(4) ? "IfExists" : "");
      }
      if (used.insert(op).second) {
        out += (out.empty() ? "\"" : ",\"") + op + R"(":{")" + any(family.keys) +
               "\":" + texts(family.wanted) + "}";
      }
    }
    return "{" + out + "}";
  }

  std::string statement(bool with_principal) {
    std::string out = chance(3) ? R"({"Effect":"Deny")" : R"({"Effect":"Allow")";
    if (with_principal) {
      out += (chance(5) ? R"(,"NotPrincipal":)" : R"(,"Principal":)") + any(kPrincipals);
    }
    out += (chance(6) ? R"(,"NotAction":)" : R"(,"Action":)") + texts(kActionPatterns);
    out += (chance(6) ? R"(,"NotResource":)" : R"(,"Resource":)") + texts(kResourcePatterns);
    if (!chance(3)) {
      out += R"(,"Condition":)" + conditions();
    }
    return out + "}";
  }

  std::mt19937_64 x_random;
};

class RandomContext final : public policy::Context {
 public:
  explicit RandomContext(const OracleRequest& request) {
    for (const auto& [name, values] : request.context) {
      x_values.push_back({*policy::find_key(name), &values});
    }
  }
  void values(const policy::KeyName& key, policy::Values& out) const override {
    for (const auto& [name, values] : x_values) {
      for (std::size_t i = 0; name == key && i < values->size(); ++i) {
        out.add((*values)[i]);
      }
    }
  }

 private:
  std::vector<std::pair<policy::KeyName, const List*>> x_values;
};

struct Pair {
  std::string text;
  policy::Policy compiled;
};

policy::Subject subject_of(const OracleRequest& r) {
  using Kind = policy::Subject::Kind;
  return {.kind = r.anonymous          ? Kind::anonymous
                  : r.root             ? Kind::root
                  : r.role_arn.empty() ? Kind::user
                                       : Kind::role_session,
          .account = r.anonymous ? std::string_view() : policy::kAccount,
          .arn = r.arn,
          .role_arn = r.role_arn,
          .canonical_id = {}};
}

class PolicyHistory : public ::testing::Test {
 protected:
  PolicyHistory() : x_generator(setting("OUTCROP_MODEL_SEED", 1)) {}

  /// Bucket policies are checked against their bucket when they are put; these need not fit any.
  Pair make(bool with_principal) {
    for (;;) {
      std::string text = x_generator.policy(with_principal);
      const auto compile = [&](policy::Origin origin) {
        return policy::Policy::compile(
            text, with_principal ? policy::PolicyKind::bucket : policy::PolicyKind::identity, "b",
            origin);
      };
      auto compiled = compile(policy::Origin::author);
      if (!compiled && compiled.error() == "NotPrincipal must be used with Effect Deny.") {
        compiled = compile(policy::Origin::store);  // of earlier versions, and still obeyed
      }
      if (compiled) {
        return {std::move(text), *std::move(compiled)};
      }
      const bool about_the_bucket = compiled.error() == "Policy has invalid resource" ||
                                    compiled.error() == "Policy has invalid action" ||
                                    compiled.error().starts_with("Action does not apply");
      EXPECT_TRUE(with_principal && about_the_bucket) << text << "\n" << compiled.error();
      if (!about_the_bucket) {
        return {std::move(text), policy::Policy()};
      }
    }
  }

  OracleVerdict compare(const Pair& pair,
                        bool with_principal,
                        const OracleRequest& r,
                        const policy::Request& q) {
    const OracleVerdict want = ask_oracle(pair.text, with_principal, r);
    EXPECT_EQ(pair.compiled.find(policy::Effect::allow, q) != nullptr, want.allows)
        << describe(pair, r);
    EXPECT_EQ(pair.compiled.find(policy::Effect::deny, q) != nullptr, want.denies)
        << describe(pair, r);
    return want;
  }

  static std::string describe(const Pair& pair, const OracleRequest& r) {
    std::string out = pair.text + "\n" + r.action + " " + r.resource + " as " + r.arn;
    for (const auto& [name, values] : r.context) {
      out += "\n  " + name + ":";
      for (const std::string& v : values) {
        out += " '" + v + "'";
      }
    }
    return out;
  }

  void step(const Pair& identity, const Pair& session, const Pair& bucket) {
    const OracleRequest r = x_generator.request();
    const RandomContext context(r);
    const policy::Subject subject = subject_of(r);
    policy::ArnParts parts;
    ASSERT_TRUE(policy::split_arn(r.resource, parts));
    const policy::Request q{.action = *policy::find_action(r.action),
                            .resource = parts,
                            .subject = subject,
                            .context = context};
    const OracleVerdict i = compare(identity, false, r, q);
    const OracleVerdict s = compare(session, false, r, q);
    const OracleVerdict b = compare(bucket, true, r, q);
    const policy::Policy* const list[] = {&identity.compiled};
    policy::PolicySet set{.bucket = &bucket.compiled};
    if (!r.anonymous && !r.root) {
      set.identity = list;
    }
    const bool own = r.root || (!set.identity.empty() && i.allows);
    const bool parent_denied = b.denies || (!set.identity.empty() && i.denies);
    const bool parent = policy::decide(set, q).allowed;
    EXPECT_EQ(parent, !parent_denied && (own || b.allows)) << describe(identity, r) << bucket.text;
    set.session = &session.compiled;
    const bool child = policy::decide(set, q).allowed;
    EXPECT_EQ(child, !parent_denied && !s.denies && s.allows && (own || b.allows))
        << describe(session, r);
    EXPECT_TRUE(parent || !child) << "a session exceeds its parent: " << describe(session, r);
    x_allowed += parent ? 1 : 0;
  }

  Generator x_generator;
  std::uint64_t x_allowed = 0;
};

TEST_F(PolicyHistory, CompiledAndSlowEvaluatorAgree) {
  const std::uint64_t pairs = setting("OUTCROP_MODEL_OPS", 20'000);
  for (std::uint64_t done = 0; done < pairs && !HasFailure(); done += kRequestsPerPolicy) {
    const Pair identity = make(false), session = make(false), bucket = make(true);
    for (std::size_t n = 0; n < kRequestsPerPolicy && !HasFailure(); ++n) {
      step(identity, session, bucket);
    }
  }
  // The generator must not be all one answer, or nothing was compared.
  EXPECT_GT(x_allowed, pairs / 20);
  EXPECT_LT(x_allowed, pairs / 20 * 19);
}

}  // namespace
}  // namespace outcrop::test
