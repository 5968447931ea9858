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
const std::string kAliceId = "AIDAAAAAAAAAAAAAAAAA", kRoleId = "AROAAAAAAAAAAAAAAAAA";
const std::string kCanonicalId(64, 'c');
const List kPrincipals{R"({"AWS":[")" + kAliceId + R"(","AIDABBBBBBBBBBBBBBBB"]})",
                       R"({"AWS":")" + kRoleId + R"("})",
                       R"({"CanonicalUser":")" + kCanonicalId + R"("})",
                       R"({"Federated":"arn:aws:iam::000000000000:oidc-provider/x"})",
                       R"("*")",
                       R"({"AWS":"*"})",
                       R"({"AWS":"000000000000"})",
                       R"({"AWS":[")" + kRootArn + R"("]})",
                       R"({"AWS":[")" + kAlice + R"("]})",
                       R"({"AWS":[")" + kRole + R"(","arn:aws:iam::000000000000:user/bob"]})",
                       R"({"AWS":")" + kSession + R"("})",
                       R"({"Service":"x.amazonaws.com"})"};

/// Keys that are texts to a policy, whatever they are to a request. With those of the families
/// below these are all that AWS has for S3, IAM and STS and that have a value here.
const List kOtherKeys{"aws:EpochTime",
                      "aws:FederatedProvider",
                      "aws:MultiFactorAuthAge",
                      "aws:PrincipalAccount",
                      "aws:PrincipalIsAWSService",
                      "aws:PrincipalType",
                      "aws:Referer",
                      "aws:RequestedRegion",
                      "aws:RequestTag/T",
                      "aws:ResourceAccount",
                      "aws:TagKeys",
                      "aws:UserAgent",
                      "aws:UserId",
                      "aws:ViaAWSService",
                      "iam:PermissionsBoundary",
                      "iam:PolicyARN",
                      "iam:ResourceTag/T",
                      "s3:authType",
                      "s3:if-match",
                      "s3:if-none-match",
                      "s3:LocationConstraint",
                      "s3:object-lock-legal-hold",
                      "s3:object-lock-mode",
                      "s3:object-lock-remaining-retention-days",
                      "s3:object-lock-retain-until-date",
                      "s3:RequestObjectTag/T",
                      "s3:signatureAge",
                      "s3:signatureversion",
                      "s3:VersionId",
                      "s3:x-amz-acl",
                      "s3:x-amz-copy-source",
                      "s3:x-amz-grant-full-control",
                      "s3:x-amz-grant-read",
                      "s3:x-amz-grant-read-acp",
                      "s3:x-amz-grant-write",
                      "s3:x-amz-grant-write-acp",
                      "s3:x-amz-metadata-directive",
                      "s3:x-amz-object-ownership",
                      "s3:x-amz-server-side-encryption",
                      "s3:x-amz-server-side-encryption-aws-kms-key-id",
                      "s3:x-amz-server-side-encryption-customer-algorithm",
                      "s3:x-amz-storage-class",
                      "s3:x-amz-website-redirect-location",
                      "sts:ExternalId",
                      "sts:RoleSessionName",
                      "sts:TransitiveTagKeys",
                      "id.example.com/realm:amr",
                      "id.example.com/realm:aud",
                      "id.example.com/realm:azp",
                      "id.example.com/realm:sub"};

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
    {{"Bool"},
     {"aws:SecureTransport", "aws:MultiFactorAuthPresent"},
     {"true", "false", "False"},
     {"true", "false", "maybe"}},
    {{"IpAddress", "NotIpAddress"},
     {"aws:SourceIp"},
     {"10.0.0.0/8", "10.1.2.3", "0.0.0.0/0", "2001:db8::/33", "::/0", "10.1.0.0/15"},
     {"10.1.2.3", "10.3.0.1", "11.0.0.1", "2001:db8:7fff::1", "2001:db8:8000::", "::ffff:10.1.2.3",
      "x"}},
    {{"ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"},
     {"aws:PrincipalArn"},
     {"*", "arn:aws:iam::*:user/*", "arn:aws:iam::000000000000:user/${aws:username}", kRole},
     {kAlice, kRole, kSession, "x"}},
    {{"BinaryEquals"},
     {"s3:x-amz-content-sha256"},
     {"YQ==", "YWI=", "YWJj", ""},
     {"YQ==", "YWI=", "YWJj", "YQ=", "!!!!", ""}},
    {{"StringEquals", "StringNotLike", "StringEqualsIgnoreCase"},
     kOtherKeys,
     {"a", "A*", "?", "${aws:userid}", "${s3:x-amz-acl}*", "${aws:PrincipalTag/team}"},
     {"a", "A", "b", "*"}},
    {{"Null"}, kOtherKeys, {"true", "false"}, {"a", "A", "b", "*"}},
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
        out.id = kAliceId;
        break;
      default:
        out.arn = kSession;
        out.role_arn = kRole;
        out.id = kRoleId;
    }
    out.canonical_id = out.anonymous ? "" : kCanonicalId;
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
          .canonical_id = r.canonical_id,
          .id = r.id};
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
    const OracleVerdict want = ask_oracle(pair.text, with_principal, r, x_reach);
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

  /// Null: he has no boundary.
  void step(const Pair& identity, const Pair& session, const Pair& bucket, const Pair* boundary) {
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
    EXPECT_EQ(bucket.compiled.find_named(q) != nullptr, b.names) << describe(bucket, r);
    const policy::Policy* const list[] = {&identity.compiled};
    policy::PolicySet set{.bucket = &bucket.compiled};
    if (!r.anonymous && !r.root) {
      set.identity = list;
    }
    // The whole rule of a boundary: own rights are cut to it, and those that others give as well,
    // but for what they give to the caller by name.
    OracleVerdict limit{.allows = true};
    if (boundary != nullptr && !set.identity.empty()) {
      limit = compare(*boundary, false, r, q);
      set.boundary = &boundary->compiled;
      x_outside += limit.allows ? 0 : 1;
    }
    const bool own = r.root || (!set.identity.empty() && i.allows && limit.allows);
    const bool theirs = b.allows && (limit.allows || b.names);
    const bool parent_denied = b.denies || limit.denies || (!set.identity.empty() && i.denies);
    const bool parent = policy::decide(set, q).allowed;
    EXPECT_EQ(parent, !parent_denied && (own || theirs))
        << describe(identity, r) << bucket.text << (boundary != nullptr ? boundary->text : "");
    policy::PolicySet free = set;
    free.boundary = nullptr;
    EXPECT_TRUE(!parent || policy::decide(free, q).allowed) << "a boundary gives rights";
    x_named += parent && !limit.allows ? 1 : 0;
    set.session = &session.compiled;
    const bool child = policy::decide(set, q).allowed;
    EXPECT_EQ(child, !parent_denied && !s.denies && s.allows && (own || theirs))
        << describe(session, r);
    step_elsewhere(set, q, !parent_denied && !s.denies && s.allows && own && b.allows);
    EXPECT_TRUE(parent || !child) << "a session exceeds its parent: " << describe(session, r);
    x_allowed += parent ? 1 : 0;
  }

  /// The same where the bucket is another account's: his own side and the other one must allow it,
  /// and that he is named there does not lift his boundary.
  void step_elsewhere(policy::PolicySet set, const policy::Request& q, bool want) {
    if (q.subject.kind == policy::Subject::Kind::anonymous) {
      return;
    }
    set.foreign = true;
    EXPECT_EQ(policy::decide(set, q).allowed, want);
  }
  /// Every operator and key was asked and said yes and no, every variable had a value and had none,
  /// and every element was in a statement that applied.
  void expect_enough() const {
    constexpr unsigned kBoth = OracleReach::yes | OracleReach::no;
    const auto expect_both = [&](const std::map<std::string, unsigned>& seen,
                                 const std::string& what) {
      const auto at = seen.find(what);
      EXPECT_TRUE(at != seen.end() && (at->second & kBoth) == kBoth) << what;
    };
    for (const Family& family : kFamilies) {
      for (std::string op : family.operators) {
        std::ranges::transform(op, op.begin(), [](unsigned char c) { return std::tolower(c); });
        expect_both(x_reach.operators, op);
      }
    }
    policy::KeySet keys;
    for (const auto& [name, results] : x_reach.keys) {
      const auto key = policy::find_key(name);
      ASSERT_TRUE(key) << name;
      keys.set(static_cast<std::size_t>(key->key));
      expect_both(x_reach.keys, name);
    }
    EXPECT_TRUE(keys.all()) << "a condition key that no policy asks for: " << (~keys).to_string();
    for (const char* variable : {"aws:username", "s3:prefix", "aws:principaltag/team",
                                 "s3:requestobjecttagkeys", "aws:userid", "s3:x-amz-acl"}) {
      expect_both(x_reach.variables, variable);
    }
    for (const char* element : {"Action", "NotAction", "Resource", "NotResource", "Principal",
                                "NotPrincipal", "Condition"}) {
      expect_both(x_reach.elements, element);
    }
  }

  Generator x_generator;
  OracleReach x_reach;
  std::uint64_t x_allowed = 0, x_outside = 0, x_named = 0;
};

TEST_F(PolicyHistory, CompiledAndSlowEvaluatorAgree) {
  const std::uint64_t pairs = setting("OUTCROP_MODEL_OPS", 20'000);
  for (std::uint64_t done = 0; done < pairs && !HasFailure(); done += kRequestsPerPolicy) {
    const Pair identity = make(false), session = make(false), bucket = make(true);
    const Pair boundary = make(false);
    const bool bounded = x_generator.chance(2);
    for (std::size_t n = 0; n < kRequestsPerPolicy && !HasFailure(); ++n) {
      step(identity, session, bucket, bounded ? &boundary : nullptr);
    }
  }
  // The generator must not be all one answer, or nothing was compared.
  EXPECT_GT(x_allowed, pairs / 20);
  EXPECT_LT(x_allowed, pairs / 20 * 19);
  if (!HasFailure() && pairs >= 20'000) {
    EXPECT_GT(x_outside, pairs / 50) << "requests outside of a boundary";
    EXPECT_GT(x_named, 0U) << "such that were let through by name";
    expect_enough();
  }
}

}  // namespace
}  // namespace outcrop::test
