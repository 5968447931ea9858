// STS over the wire: sessions, roles, and how they end.
#include "tests/unit/api/iam/iam_fixture.h"

namespace outcrop::iam::test {
namespace {

TEST_F(Iam, SessionTokens) {
  const Signer alice = new_user("alice", kAllowAll);
  const Reply made = sts("GetSessionToken", {{"DurationSeconds", "900"}}, alice);
  const Signer session = credentials_of(made);
  EXPECT_EQ(text(made.body, "Expiration"), "2013-05-24T00:15:00Z");
  EXPECT_TRUE(session.access_key.starts_with("ASIA"));
  EXPECT_EQ(arn_of(session), "arn:aws:iam::000000000000:user/alice");
  EXPECT_EQ(failure("ListUsers", {}, session), "AccessDenied");
  EXPECT_EQ(text(sts("GetSessionToken", {}, session).body, "Code"), "AccessDenied");
  // Neither half alone, nor with somebody else's other half.
  EXPECT_EQ(text(sts("GetCallerIdentity", {}, {session.access_key, session.secret}).body, "Code"),
            "InvalidClientTokenId");
  EXPECT_EQ(text(sts("GetCallerIdentity", {}, {alice.access_key, alice.secret, session.token}).body,
                 "Code"),
            "InvalidClientTokenId");
  EXPECT_EQ(
      text(sts("GetCallerIdentity", {}, {session.access_key, "x", session.token}).body, "Code"),
      "SignatureDoesNotMatch");
  std::string altered = session.token;
  altered[altered.size() / 2] = altered[altered.size() / 2] == 'A' ? 'B' : 'A';
  EXPECT_EQ(text(sts("GetCallerIdentity", {}, {session.access_key, session.secret, altered}).body,
                 "Code"),
            "InvalidClientTokenId");
  for (const char* bad : {"899", "129601", "x"}) {
    EXPECT_EQ(text(sts("GetSessionToken", {{"DurationSeconds", bad}}, alice).body, "Code"),
              "ValidationError")
        << bad;
  }
  EXPECT_EQ(text(sts("GetSessionToken", {{"DurationSeconds", "3601"}}, {}).body, "Code"),
            "ValidationError");  // root
  EXPECT_EQ(text(sts("GetSessionToken", {{"SerialNumber", "x"}}, alice).body, "Code"),
            "NotImplemented");
}

TEST_F(Iam, SessionsEnd) {
  const Signer alice = new_user("alice");
  const Signer session =
      credentials_of(sts("GetSessionToken", {{"DurationSeconds", "900"}}, alice));
  EXPECT_EQ(store->find_session(session.access_key, session.token)->expired, false);
  clock.set(auth::test::kDocTime + 899);
  EXPECT_EQ(store->find_session(session.access_key, session.token)->expired, false);
  clock.set(auth::test::kDocTime + 900);
  EXPECT_EQ(store->find_session(session.access_key, session.token)->expired, true);
  clock.set(auth::test::kDocTime);
  works("UpdateAccessKey",
        {{"UserName", "alice"}, {"AccessKeyId", alice.access_key}, {"Status", "Inactive"}});
  EXPECT_FALSE(store->find_session(session.access_key, session.token));
  works("UpdateAccessKey",
        {{"UserName", "alice"}, {"AccessKeyId", alice.access_key}, {"Status", "Active"}});
  EXPECT_TRUE(store->find_session(session.access_key, session.token));
  works("DeleteAccessKey", {{"UserName", "alice"}, {"AccessKeyId", alice.access_key}});
  EXPECT_FALSE(store->find_session(session.access_key, session.token));
}

// CVE-2025-62506: a session does not lose its limits on the way through STS.
TEST_F(Iam, CVE_2025_62506_SessionsKeepTheSessionPolicy) {
  const Signer alice = new_user("alice");
  new_role("r", R"({"AWS":"arn:aws:iam::000000000000:user/alice"})", kAllowAll);
  new_role("named", R"({"AWS":"arn:aws:iam::000000000000:role/r"})", kAllowAll);
  new_role("open", R"({"AWS":"000000000000"})", kAllowAll);
  const Signer whole = credentials_of(assume("r", alice));
  const Signer limited = credentials_of(assume(
      "r", alice,
      {{"Policy", R"({"Statement":{"Effect":"Allow","Action":"iam:List*","Resource":"*"}})"}}));
  for (const char* role : {"named", "open"}) {
    EXPECT_EQ(assume(role, whole).status, 200) << role;
    EXPECT_EQ(text(assume(role, limited).body, "Code"), "AccessDenied") << role;
  }
  EXPECT_EQ(text(sts("GetSessionToken", {}, limited).body, "Code"), "AccessDenied");
}

TEST_F(Iam, RolesAreAssumedByThoseTheyTrust) {
  const Signer alice = new_user("alice"), bob = new_user("bob"),
               carol = new_user("carol", kAllowAll);
  const std::string account = R"({"AWS":"000000000000"})";
  new_role("named", R"({"AWS":"arn:aws:iam::000000000000:user/alice"})", kAllowAll);
  new_role("open", account, kAllowAll);
  const Reply made = assume("named", alice);
  const Signer session = credentials_of(made);
  EXPECT_EQ(arn_of(session), "arn:aws:sts::000000000000:assumed-role/named/work");
  EXPECT_EQ(text(made.body, "AssumedRoleId").substr(0, 4), "AROA");
  EXPECT_EQ(send("ListUsers", {}, session).status, 200);  // the rights of the role, not of alice
  EXPECT_EQ(text(assume("named", bob).body, "Code"), "AccessDenied");
  EXPECT_EQ(text(assume("named", carol).body, "Code"), "AccessDenied");
  // Trusting the account leaves it to the caller's own policies.
  EXPECT_EQ(text(assume("open", alice).body, "Code"), "AccessDenied");
  EXPECT_EQ(assume("open", carol).status, 200);
  EXPECT_EQ(text(assume("open", {}).body, "Code"), "AccessDenied");  // root
  EXPECT_EQ(text(assume("absent", carol).body, "Code"), "AccessDenied");
  // A session of a session ends with the key that the first one came from.
  const Signer first = credentials_of(sts("GetSessionToken", {}, alice));
  const Signer second = credentials_of(assume("named", first));
  EXPECT_EQ(arn_of(second), "arn:aws:sts::000000000000:assumed-role/named/work");
  works("UpdateAccessKey",
        {{"UserName", "alice"}, {"AccessKeyId", alice.access_key}, {"Status", "Inactive"}});
  EXPECT_FALSE(store->find_session(second.access_key, second.token));
}

TEST_F(Iam, ArnsWithoutAnAccount) {
  handler = make_handler({.store = *store, .clock = clock, .rgw = true});
  const Signer alice = new_user("alice");
  const Reply made = send("CreateRole", {{"RoleName", "r"},
                                         {"AssumeRolePolicyDocument",
                                          R"({"Statement":{"Effect":"Allow","Principal":{"AWS":)"
                                          R"("arn:aws:iam:::user/alice"},"Action":"sts:*"}})"}});
  EXPECT_EQ(text(made.body, "Arn"), "arn:aws:iam:::role/r");
  for (const char* arn : {"arn:aws:iam:::role/r", "arn:aws:iam::000000000000:role/r"}) {
    const Reply session = sts("AssumeRole", {{"RoleArn", arn}, {"RoleSessionName", "work"}}, alice);
    EXPECT_EQ(arn_of(credentials_of(session)), "arn:aws:sts::000000000000:assumed-role/r/work")
        << arn;
  }
  EXPECT_EQ(text(sts("AssumeRole",
                     {{"RoleArn", "arn:aws:iam:::role/x"}, {"RoleSessionName", "work"}}, alice)
                     .body,
                 "Code"),
            "AccessDenied");
  const std::string policy =
      R"({"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}})";
  const std::string everything =
      R"({"Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}})";
  works("PutRolePolicy", {{"RoleName", "r"}, {"PolicyName", "p"}, {"PolicyDocument", everything}});
  // That of a trust policy has one.
  const Signer bob = new_user("bob", kAllowAll);
  EXPECT_EQ(text(assume("r", bob).body, "Code"), "AccessDenied");
  works("UpdateAssumeRolePolicy", {{"RoleName", "r"}, {"PolicyDocument", policy}});
  EXPECT_EQ(assume("r", bob).status, 200);
}

// The token means the role that was assumed, not the next one of that name.
TEST_F(Iam, ARoleThatWasMadeAnewIsAnotherOne) {
  const Signer alice = new_user("alice");
  const std::string by_alice = R"({"AWS":"arn:aws:iam::000000000000:user/alice"})";
  new_role("r", by_alice, kAllowAll);
  const Signer session = credentials_of(assume("r", alice));
  EXPECT_EQ(send("ListUsers", {}, session).status, 200);
  works("DeleteRolePolicy", {{"RoleName", "r"}, {"PolicyName", "p"}});
  works("DeleteRole", {{"RoleName", "r"}});
  EXPECT_FALSE(store->find_session(session.access_key, session.token));
  new_user("bob");
  new_role("r", R"({"AWS":"arn:aws:iam::000000000000:user/bob"})", kAllowAll);
  EXPECT_FALSE(store->find_session(session.access_key, session.token));
  EXPECT_EQ(failure("ListUsers", {}, session), "InvalidClientTokenId");
}

TEST_F(Iam, SessionPoliciesOfRoles) {
  const Signer alice = new_user("alice");
  new_role("r", R"({"AWS":"arn:aws:iam::000000000000:user/alice"})", kAllowAll);
  const std::string less =
      R"({"Statement":{"Effect":"Allow","Action":"iam:ListRoles","Resource":"*"}})";
  const Signer session = credentials_of(assume("r", alice, {{"Policy", less}}));
  EXPECT_EQ(send("ListRoles", {}, session).status, 200);
  EXPECT_EQ(failure("ListUsers", {}, session), "AccessDenied");
  EXPECT_EQ(text(assume("r", alice, {{"Policy", "{"}}).body, "Code"), "MalformedPolicyDocument");
  EXPECT_EQ(text(assume("r", alice, {{"Policy", std::string(2049, ' ')}}).body, "Code"),
            "LimitExceeded");
  EXPECT_EQ(text(assume("r", alice, {{"PolicyArns.member.2.arn", "a"}}).body, "Code"),
            "MalformedPolicyDocument");
  works("CreatePolicy", {{"PolicyName", "less"}, {"PolicyDocument", less}});
  const Signer managed = credentials_of(
      assume("r", alice, {{"PolicyArns.member.1.arn", "arn:aws:iam::000000000000:policy/less"}}));
  EXPECT_EQ(send("ListRoles", {}, managed).status, 200);
  EXPECT_EQ(failure("ListUsers", {}, managed), "AccessDenied");
  Parameters many;
  for (int i = 1; i <= 11; ++i) {
    many.push_back({"PolicyArns.member." + std::to_string(i) + ".arn",
                    "arn:aws:iam::000000000000:policy/less"});
  }
  EXPECT_EQ(text(assume("r", alice, many).body, "Code"), "LimitExceeded");
  many.pop_back();
  EXPECT_EQ(assume("r", alice, many).status, 200);
  EXPECT_EQ(
      text(sts("AssumeRole", {{"RoleArn", "x"}, {"RoleSessionName", "w"}}, alice).body, "Code"),
      "ValidationError");
}

TEST_F(Iam, ARoleSaysHowLongItsSessionsMayLast) {
  const Signer alice = new_user("alice");
  new_role("r", R"({"AWS":"arn:aws:iam::000000000000:user/alice"})", kAllowAll);
  const auto asked = [&](const std::string& role, const Signer& who, const char* seconds) {
    const Reply reply = assume(role, who, {{"DurationSeconds", seconds}});
    return reply.status == 200 ? text(reply.body, "Expiration") : text(reply.body, "Code");
  };
  EXPECT_EQ(asked("r", alice, "3601"), "ValidationError");
  EXPECT_EQ(failure("UpdateRole", {{"RoleName", "r"}, {"MaxSessionDuration", "43201"}}),
            "ValidationError");
  EXPECT_EQ(failure("UpdateRole", {{"RoleName", "none"}}), "NoSuchEntity");
  works("UpdateRole",
        {{"RoleName", "r"}, {"MaxSessionDuration", "43200"}, {"Description", "long"}});
  works("UpdateRole", {{"RoleName", "r"}});  // changes nothing
  const std::string shown = send("GetRole", {{"RoleName", "r"}}).body;
  EXPECT_EQ(text(shown, "MaxSessionDuration"), "43200");
  EXPECT_EQ(text(shown, "Description"), "long");
  EXPECT_EQ(asked("r", alice, "43200"), "2013-05-24T12:00:00Z");
  EXPECT_EQ(asked("r", alice, "43201"), "ValidationError");
  EXPECT_EQ(text(assume("r", alice).body, "Expiration"), "2013-05-24T01:00:00Z");
  // Of a session from a session: an hour. Who is not trusted does not learn the limit.
  new_role("next", R"({"AWS":"arn:aws:iam::000000000000:role/r"})", kAllowAll);
  works("UpdateRole", {{"RoleName", "next"}, {"MaxSessionDuration", "7200"}});
  const Signer session = credentials_of(assume("r", alice));
  EXPECT_EQ(asked("next", session, "3601"), "ValidationError");
  EXPECT_EQ(asked("next", session, "3600"), "2013-05-24T01:00:00Z");
  EXPECT_EQ(asked("next", alice, "7201"), "AccessDenied");
  EXPECT_EQ(asked("absent", alice, "7201"), "AccessDenied");
}

TEST_F(Iam, AccountSummary) {
  new_user("alice");
  const std::string all = send("GetAccountSummary").body;
  EXPECT_NE(all.find("<entry><key>Users</key><value>1</value></entry>"), std::string::npos) << all;
  EXPECT_NE(all.find("<entry><key>GroupsQuota</key><value>300</value></entry>"), std::string::npos);
}

TEST_F(Iam, TrustPoliciesMayAskForAnExternalId) {
  const Signer alice = new_user("alice");
  works("CreateRole",
        {{"RoleName", "r"}, {"AssumeRolePolicyDocument", R"({"Statement":{"Effect":"Allow",
      "Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::000000000000:user/alice"},
      "Condition":{"StringEquals":{"sts:ExternalId":"secret"}}}})"}});
  EXPECT_EQ(text(assume("r", alice).body, "Code"), "AccessDenied");
  EXPECT_EQ(text(assume("r", alice, {{"ExternalId", "other"}}).body, "Code"), "AccessDenied");
  EXPECT_EQ(assume("r", alice, {{"ExternalId", "secret"}}).status, 200);
}

}  // namespace
}  // namespace outcrop::iam::test
