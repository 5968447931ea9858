// Sessions for the tokens of identity providers, and the providers themselves, over the wire.
#include "api/iam/rate_limit.h"
#include "tests/support/recorded_events.h"
#include "tests/unit/api/iam/web_identity_fixture.h"

namespace outcrop::iam::test {
namespace {

TEST_F(WebIdentity, ATokenForASession) {
  trusting_role("pods");
  const Reply reply = ask("pods", token());
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_NE(reply.body.find("<AssumeRoleWithWebIdentityResponse "
                            "xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">"),
            std::string::npos);
  EXPECT_EQ(text(reply.body, "SubjectFromWebIdentityToken"), "alice");
  EXPECT_EQ(text(reply.body, "Audience"), "box");
  EXPECT_EQ(text(reply.body, "Provider"), kIssuer);
  EXPECT_EQ(text(reply.body, "Expiration"), "2013-05-24T01:00:00Z");
  const Signer session = credentials_of(reply);
  EXPECT_EQ(arn_of(session), "arn:aws:sts::000000000000:assumed-role/pods/work");
  EXPECT_EQ(send("ListUsers", {}, session).status, 200);
  EXPECT_EQ(keys.asked, std::vector<std::string>{kIssuer});
  // Nothing of it works without the token of the session.
  EXPECT_EQ(failure("ListUsers", {}, {session.access_key, session.secret}), "InvalidClientTokenId");
}

TEST_F(WebIdentity, InTheQueryToo) {
  trusting_role("pods");
  for (const char* method : {"GET", "POST"}) {
    http::Request what = auth::test::make_request(method, "/?" + encode(asking("pods", token())),
                                                  {{"host", "box:9000"}});
    EXPECT_TRUE(is_for_iam(what)) << method;
    EXPECT_EQ(serve(what, "").status, 200) << method;
  }
  http::Request both = form();
  both.target = "/?Action=AssumeRoleWithWebIdentity";
  EXPECT_EQ(code(serve(both, encode(asking("pods", token())))), "MalformedQueryString");
  for (const char* target : {"/bucket?Action=AssumeRoleWithWebIdentity", "/?Action=ListUsers",
                             "/?XAction=AssumeRoleWithWebIdentity",
                             "/?Action=AssumeRoleWithWebIdentity&X-Amz-Signature=x"}) {
    EXPECT_FALSE(is_for_iam(auth::test::make_request("GET", target, {}))) << target;
  }
  EXPECT_FALSE(is_for_iam(auth::test::make_request(
      "POST", "/", {{"content-type", "multipart/form-data; boundary=x"}})));
}

// Everything else needs a signature, whatever the form says (#7912 of SeaweedFS: a kind of request
// that was not authenticated at all).
TEST_F(WebIdentity, Seaweed_7912_NothingElseWithoutASignature) {
  for (const Action& action : actions()) {
    if (action.name == "AssumeRoleWithWebIdentity") {
      continue;
    }
    handler = make_handler({.store = *store, .clock = clock, .oidc = &keys});  // asks seldom
    http::Request what = form();
    const Reply reply =
        serve(what, encode({{"Action", std::string(action.name)}, {"UserName", "x"}}));
    EXPECT_EQ(reply.status, 403) << action.name;
    EXPECT_EQ(code(reply), "MissingAuthenticationToken") << action.name;
  }
  http::Request what = form();
  EXPECT_EQ(code(serve(what, "")), "MissingAuthenticationToken");
}

TEST_F(WebIdentity, CVE_2024_48916_TokensThatProveNothing) {
  trusting_role("pods");
  using outcrop::test::base64url;
  const std::string unsigned_token =
      base64url(R"({"alg":"none","kid":"k1"})") + "." + base64url(claims()) + ".";
  EXPECT_EQ(refusal("pods", unsigned_token), "InvalidIdentityToken");
  const OidcSigner stranger(OidcSigner::Type::p256, "k1");
  EXPECT_EQ(refusal("pods", stranger.token(claims(), "ES256")), "InvalidIdentityToken");
  EXPECT_EQ(refusal("pods", ""), "InvalidIdentityToken");
  EXPECT_EQ(refusal("pods", std::string(20'001, 'a')), "InvalidIdentityToken");
  EXPECT_EQ(refusal("pods", token(claims(R"(,"sub":"a","aud":"nobody")"))), "InvalidIdentityToken");
  EXPECT_EQ(refusal("pods", token(claims(R"(,"sub":"a","aud":"box")", kIssuer + "/"))),
            "InvalidIdentityToken");
  EXPECT_EQ(refusal("pods", token(claims(R"(,"sub":"a","aud":"box")", "http://" + kName))),
            "InvalidIdentityToken");
  EXPECT_EQ(refusal("pods", token(claims(R"(,"sub":"a","aud":"box","sub":"b")"))),
            "InvalidIdentityToken");
  clock.set(auth::test::kDocTime + 660);
  EXPECT_EQ(refusal("pods", token()), "ExpiredTokenException");
  clock.set(auth::test::kDocTime - 61);
  EXPECT_EQ(refusal("pods", token()), "IDPRejectedClaim");
}

TEST_F(WebIdentity, AudiencesAndParties) {
  trusting_role("pods");
  EXPECT_EQ(text(ask("pods", token(claims(R"(,"sub":"a","aud":["x","other"])"))).body, "Audience"),
            "other");
  // Keycloak: for the account, and given to a client.
  EXPECT_EQ(text(ask("pods", token(claims(R"(,"sub":"a","aud":"account","azp":"box")"))).body,
                 "Audience"),
            "box");
  EXPECT_EQ(refusal("pods", token(claims(R"(,"sub":"a","aud":"account","azp":"x")"))),
            "InvalidIdentityToken");
}

TEST_F(WebIdentity, KeysThatAreNotThereYet) {
  trusting_role("pods");
  const oidc::KeySetPtr good = std::exchange(keys.set, nullptr);
  EXPECT_EQ(refusal("pods", token()), "IDPCommunicationError");
  keys.set = good;
  const OidcSigner next(OidcSigner::Type::p256, "k2");
  keys.may_refresh = true;
  EXPECT_EQ(refusal("pods", next.token(claims(), "ES256")), "IDPCommunicationError");
  EXPECT_EQ(refusal("pods", next.token(claims(), "ES256")), "InvalidIdentityToken");
  // A signature that is wrong is no reason to fetch anything.
  keys.may_refresh = true;
  const OidcSigner stranger(OidcSigner::Type::p256, "k1");
  EXPECT_EQ(refusal("pods", stranger.token(claims(), "ES256")), "InvalidIdentityToken");
  EXPECT_TRUE(keys.may_refresh);
}

TEST_F(WebIdentity, TrustPoliciesSayWhose) {
  trusting_role(
      "alice", R"({"StringEquals":{")" + kName + R"(:sub":"alice",")" + kName + R"(:aud":"box"}})");
  EXPECT_EQ(ask("alice", token()).status, 200);
  EXPECT_EQ(refusal("alice", token(claims(R"(,"sub":"bob","aud":"box")"))), "AccessDenied");
  EXPECT_EQ(refusal("alice", token(claims(R"(,"sub":"alice","aud":"other")"))), "AccessDenied");
  trusting_role("cli", R"({"StringLike":{")" + kName + R"(:azp":"cli-*"},
      "ForAnyValue:StringEquals":{")" +
                           kName + R"(:amr":"otp"}})");
  EXPECT_EQ(ask("cli", token(claims(R"(,"sub":"a","aud":"box","azp":"cli-1","amr":["pwd","otp"])")))
                .status,
            200);
  EXPECT_EQ(refusal("cli", token(claims(R"(,"sub":"a","aud":"box","azp":"cli-1","amr":["pwd"])"))),
            "AccessDenied");
  EXPECT_EQ(refusal("cli", token(claims(R"(,"sub":"a","aud":"box","amr":["otp"])"))),
            "AccessDenied");
  // The claims of another provider are none of this one's.
  trusting_role("elsewhere", R"({"StringEquals":{"id.example.com/realms/core:sub":"alice"}})");
  EXPECT_EQ(refusal("elsewhere", token()), "AccessDenied");
  trusting_role("named", R"({"StringEquals":{"sts:RoleSessionName":"other"}})");
  EXPECT_EQ(refusal("named", token()), "AccessDenied");
  trusting_role("provider", R"({"ArnEquals":{"aws:FederatedProvider":")" + kProviderArn + R"("}})");
  EXPECT_EQ(ask("provider", token()).status, 200);
}

TEST_F(WebIdentity, WhoIsNotTrustedLearnsNothing) {
  trusting_role("other", "", kAllowAll,
                "arn:aws:iam::000000000000:oidc-provider/id.example.com/realms/core");
  trusting_role("foreign", "", kAllowAll, "arn:aws:iam::123456789012:oidc-provider/" + kName);
  trusting_role("short", "", kAllowAll, "arn:aws:iam:::oidc-provider/" + kName);
  works("CreateRole", {{"RoleName", "signers"}, {"AssumeRolePolicyDocument", kTrust}});
  works("CreateRole", {{"RoleName", "anybody"},
                       {"AssumeRolePolicyDocument",
                        R"({"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:*"}})"}});
  works("CreateRole",
        {{"RoleName", "but"},
         {"AssumeRolePolicyDocument",
          R"({"Statement":[{"Effect":"Allow","Principal":{"Federated":")" + kProviderArn +
              R"("},"Action":"sts:AssumeRoleWithWebIdentity"},
              {"Effect":"Deny","Principal":"*","Action":"sts:AssumeRoleWithWebIdentity",
               "Condition":{"StringEquals":{")" +
              kName + R"(:sub":"alice"}}}]})"}});
  const std::string absent = ask("absent", token()).body;
  for (const char* role : {"other", "foreign", "signers", "anybody", "but"}) {
    EXPECT_EQ(ask(role, token()).body, absent) << role;
  }
  EXPECT_EQ(text(absent, "Code"), "AccessDenied");
  EXPECT_EQ(ask("short", token()).status, 200);  // no account: this one
  EXPECT_EQ(ask("but", token(claims(R"(,"sub":"bob","aud":"box")"))).status, 200);
  // A signature is no token: the role does not trust whoever signs.
  const Signer carol = new_user("carol", kAllowAll);
  EXPECT_EQ(code(assume("short", carol)), "AccessDenied");
}

TEST_F(WebIdentity, PrincipalsAreProvidersByName) {
  for (const char* bad : {"*", "arn:aws:iam::000000000000:oidc-provider/",
                          "arn:aws:iam::000000000000:oidc-provider/*",
                          "arn:aws:iam::12:oidc-provider/a", "arn:aws:s3:::oidc-provider/a"}) {
    EXPECT_EQ(failure("CreateRole",
                      {{"RoleName", "r"},
                       {"AssumeRolePolicyDocument",
                        R"({"Statement":{"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity",
                   "Principal":{"Federated":")" +
                            std::string(bad) + R"("}}})"}}),
              "MalformedPolicyDocument")
        << bad;
  }
}

// CVE-2025-62506, CVE-2022-24842, CVE-2026-22043: what comes out is never more than the role, nor
// more than was asked for, however it is passed on.
TEST_F(WebIdentity, CVE_2022_24842_CVE_2026_22043_SessionsStayWithinTheRole) {
  trusting_role("pods", "",
                R"({"Statement":[{"Effect":"Allow","Action":["iam:List*","iam:GetUser","sts:*"],
                "Resource":"*"}]})");
  const auto allow = [](const std::string& action) {
    return R"({"Statement":{"Effect":"Allow","Action":")" + action + R"(","Resource":"*"}})";
  };
  const Signer whole = credentials_of(ask("pods", token()));
  EXPECT_EQ(send("ListUsers", {}, whole).status, 200);
  EXPECT_EQ(failure("CreateUser", {{"UserName", "x"}}, whole), "AccessDenied");
  // A session policy takes away and adds nothing.
  const Signer wide = credentials_of(ask("pods", token(), {{"Policy", allow("iam:*")}}));
  EXPECT_EQ(send("ListUsers", {}, wide).status, 200);
  EXPECT_EQ(failure("CreateUser", {{"UserName", "x"}}, wide), "AccessDenied");
  const Signer narrow = credentials_of(ask("pods", token(), {{"Policy", allow("iam:ListRoles")}}));
  EXPECT_EQ(send("ListRoles", {}, narrow).status, 200);
  EXPECT_EQ(failure("ListUsers", {}, narrow), "AccessDenied");
  // Managed policies as the session's: any of them may allow, each may deny.
  works("CreatePolicy", {{"PolicyName", "roles"}, {"PolicyDocument", allow("iam:ListRoles")}});
  works("CreatePolicy", {{"PolicyName", "users"}, {"PolicyDocument", allow("iam:ListUsers")}});
  const std::string roles = "arn:aws:iam::000000000000:policy/roles",
                    users = "arn:aws:iam::000000000000:policy/users";
  const Signer one = credentials_of(ask("pods", token(), {{"PolicyArns.member.1.arn", roles}}));
  EXPECT_EQ(send("ListRoles", {}, one).status, 200);
  EXPECT_EQ(failure("ListUsers", {}, one), "AccessDenied");
  const Signer two = credentials_of(ask(
      "pods", token(), {{"PolicyArns.member.1.arn", roles}, {"PolicyArns.member.2.arn", users}}));
  EXPECT_EQ(send("ListUsers", {}, two).status, 200);
  EXPECT_EQ(failure("ListGroups", {}, two), "AccessDenied");
  const Signer with_deny = credentials_of(ask(
      "pods", token(),
      {{"PolicyArns.member.1.arn", roles},
       {"Policy", R"({"Statement":{"Effect":"Deny","Action":"iam:ListRoles","Resource":"*"}})"}}));
  EXPECT_EQ(failure("ListRoles", {}, with_deny), "AccessDenied");
  works("DeletePolicy", {{"PolicyArn", roles}});
  EXPECT_EQ(failure("ListRoles", {}, one), "AccessDenied");  // gone: nothing is allowed
  EXPECT_EQ(refusal("pods", token(), {{"PolicyArns.member.1.arn", roles}}),
            "MalformedPolicyDocument");
  EXPECT_EQ(refusal("pods", token(), {{"PolicyArns.member.1", users}}), "MalformedPolicyDocument");
  // It gets no session of another kind, and one of another role only with its own rights.
  EXPECT_EQ(code(sts("GetSessionToken", {}, whole)), "AccessDenied");
  new_role("next", R"({"AWS":"000000000000"})", kAllowAll);
  EXPECT_EQ(code(assume("next", narrow)), "AccessDenied");
  EXPECT_EQ(assume("next", whole).status, 200);
}

TEST_F(WebIdentity, SessionsEndWithRoleAndProvider) {
  trusting_role("pods", "", kAllowAll);
  const Signer session = credentials_of(ask("pods", token(), {{"DurationSeconds", "900"}}));
  new_role("next", R"({"AWS":"000000000000"})", kAllowAll);
  const Signer chained = credentials_of(assume("next", session));
  EXPECT_FALSE(store->find_session(session.access_key, session.token)->expired);
  clock.set(auth::test::kDocTime + 900);
  EXPECT_TRUE(store->find_session(session.access_key, session.token)->expired);
  clock.set(auth::test::kDocTime);
  works("DeleteRolePolicy", {{"RoleName", "pods"}, {"PolicyName", "p"}});
  works("DeleteRole", {{"RoleName", "pods"}});
  for (const Signer& who : {session, chained}) {
    EXPECT_FALSE(store->find_session(who.access_key, who.token));
  }
  trusting_role("pods");  // another one of that name
  EXPECT_FALSE(store->find_session(session.access_key, session.token));
  for (const char* bad : {"899", "3601", "x", "-1"}) {
    EXPECT_EQ(refusal("pods", token(), {{"DurationSeconds", bad}}), "ValidationError") << bad;
  }
  works("UpdateRole", {{"RoleName", "pods"}, {"MaxSessionDuration", "7200"}});
  EXPECT_EQ(text(ask("pods", token(), {{"DurationSeconds", "7200"}}).body, "Expiration"),
            "2013-05-24T02:00:00Z");
  EXPECT_EQ(refusal("absent", token(), {{"DurationSeconds", "7201"}}), "AccessDenied");
  EXPECT_EQ(refusal("pods", token(), {{"ProviderId", "www.amazon.com"}}), "NotImplemented");
  EXPECT_EQ(refusal("pods", token(), {{"ExternalId", "x"}}), "ValidationError");
}

TEST_F(WebIdentity, PermissionPoliciesMayNameTheSubject) {
  trusting_role("pods", "",
                R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:GetUser",
                "Resource":"arn:aws:iam::000000000000:user/${)" +
                    kName + R"(:sub}"}})");
  works("CreateUser", {{"UserName", "alice"}});
  works("CreateUser", {{"UserName", "bob"}});
  const Signer session = credentials_of(ask("pods", token()));
  EXPECT_EQ(send("GetUser", {{"UserName", "alice"}}, session).status, 200);
  EXPECT_EQ(failure("GetUser", {{"UserName", "bob"}}, session), "AccessDenied");
}

TEST_F(WebIdentity, ProvidersOverIam) {
  const std::string url = "https://issuer.example.org/k8s", name = "issuer.example.org/k8s",
                    arn = "arn:aws:iam::000000000000:oidc-provider/" + name, print(40, 'a');
  const Reply made = send("CreateOpenIDConnectProvider", {{"Url", url},
                                                          {"ClientIDList.member.2", "two"},
                                                          {"ClientIDList.member.1", "one"},
                                                          {"ThumbprintList.member.1", print}});
  EXPECT_EQ(made.status, 200) << made.body;
  EXPECT_EQ(text(made.body, "OpenIDConnectProviderArn"), arn);
  const Reply all = send("ListOpenIDConnectProviders");
  EXPECT_EQ(count(all.body, "<Arn>"), 2U);
  EXPECT_NE(all.body.find(arn), std::string::npos);
  EXPECT_NE(all.body.find(kProviderArn), std::string::npos);
  const Parameters it{{"OpenIDConnectProviderArn", arn}};
  const auto shown = [&] { return send("GetOpenIDConnectProvider", it).body; };
  EXPECT_EQ(text(shown(), "Url"), name);
  EXPECT_NE(shown().find("<member>one</member><member>two</member>"), std::string::npos);
  EXPECT_NE(shown().find("<member>" + print + "</member>"), std::string::npos);
  const auto with = [&](const std::string& parameter, const std::string& value) {
    return Parameters{it.front(), {parameter, value}};
  };
  works("AddClientIDToOpenIDConnectProvider", with("ClientID", "two"));
  works("AddClientIDToOpenIDConnectProvider", with("ClientID", "three"));
  EXPECT_EQ(count(shown(), "<member>"), 4U);
  works("RemoveClientIDFromOpenIDConnectProvider", with("ClientID", "one"));
  works("RemoveClientIDFromOpenIDConnectProvider", with("ClientID", "one"));
  works("UpdateOpenIDConnectProviderThumbprint",
        with("ThumbprintList.member.1", std::string(40, 'b')));
  serve_anew();  // it was stored
  EXPECT_EQ(count(shown(), "<member>"), 3U);
  EXPECT_EQ(shown().find("one"), std::string::npos);
  EXPECT_NE(shown().find(std::string(40, 'b')), std::string::npos);
  trusting_role("pods", "", kAllowAll, arn);
  const std::string text_of = token(claims(R"(,"sub":"a","aud":"two")", url));
  const Signer session = credentials_of(ask("pods", text_of));
  works("DeleteOpenIDConnectProvider", it);
  EXPECT_FALSE(store->find_session(session.access_key, session.token));
  EXPECT_EQ(refusal("pods", text_of), "InvalidIdentityToken");
  for (const char* action : {"GetOpenIDConnectProvider", "DeleteOpenIDConnectProvider"}) {
    EXPECT_EQ(failure(action, it), "NoSuchEntity") << action;
  }
  clock.set(auth::test::kDocTime + 1);
  works("CreateOpenIDConnectProvider", {{"Url", url}, {"ClientIDList.member.1", "two"}});
  clock.set(auth::test::kDocTime);
  EXPECT_FALSE(store->find_session(session.access_key, session.token));  // another one
}

TEST_F(WebIdentity, ProvidersThatAreRefused) {
  const auto make = [&](const std::string& url, Parameters more = {}) {
    more.push_back({"Url", url});
    return failure("CreateOpenIDConnectProvider", more);
  };
  for (const char* bad : {"http://id.example.org", "id.example.org", "https://id.example.org/?a=b",
                          "https://user@id.example.org", "https://id.example.org#a", ""}) {
    EXPECT_EQ(make(bad), "InvalidInput") << bad;
  }
  EXPECT_EQ(make(kIssuer), "EntityAlreadyExists");
  EXPECT_EQ(make("https://ID.example.com/realms/EDGE"), "EntityAlreadyExists");
  const std::string good = "https://id.example.org";
  EXPECT_EQ(make(good, {{"ThumbprintList.member.1", "short"}}), "InvalidInput");
  EXPECT_EQ(make(good, {{"ClientIDList.member.1", ""}}), "InvalidInput");
  EXPECT_EQ(make(good, {{"ClientIDList.member.1", std::string(256, 'a')}}), "InvalidInput");
  EXPECT_EQ(make(good, {{"ClientIDList.member.x", "a"}}), "ValidationError");
  EXPECT_EQ(make(good, {{"ClientIDList", "a"}}), "ValidationError");
  EXPECT_EQ(make(good, {{"Tags.member.1.Key", "a"}}), "ValidationError");
  Parameters many;
  for (int i = 1; i <= 101; ++i) {
    many.push_back({"ClientIDList.member." + std::to_string(i), "c" + std::to_string(i)});
  }
  EXPECT_EQ(make(good, many), "LimitExceeded");
  many.pop_back();
  many.push_back({"Url", good});
  works("CreateOpenIDConnectProvider", many);
  // What the configuration has is changed there.
  for (const char* action : {"DeleteOpenIDConnectProvider"}) {
    EXPECT_EQ(failure(action, {{"OpenIDConnectProviderArn", kProviderArn}}), "NotImplemented");
  }
  EXPECT_EQ(failure("AddClientIDToOpenIDConnectProvider",
                    {{"OpenIDConnectProviderArn", kProviderArn}, {"ClientID", "x"}}),
            "NotImplemented");
  const Signer bob = new_user("bob");
  EXPECT_EQ(failure("CreateOpenIDConnectProvider", {{"Url", "https://a.example.org"}}, bob),
            "AccessDenied");
}

TEST_F(WebIdentity, CVE_2026_33419_StrangersAskOnlySoOften) {
  trusting_role("pods");
  const auto from = [&](const std::string& address) {
    http::Request what = form();
    what.remote = address;
    return code(serve(what, encode(asking("pods", "x"))));
  };
  for (int i = 0; i < RateLimit::kBurst; ++i) {
    EXPECT_EQ(from("192.0.2.1:50000"), "InvalidIdentityToken") << i;
  }
  EXPECT_EQ(from("192.0.2.1:50001"), "Throttling");
  EXPECT_EQ(from("192.0.2.2:50000"), "InvalidIdentityToken");
  // Who signs is known, and not counted.
  EXPECT_EQ(send("ListUsers").status, 200);
}

TEST_F(WebIdentity, TheAuditLogSaysWhoseTokenItWas) {
  outcrop::testing::RecordedEvents events;
  handler = make_handler({.store = *store, .clock = clock, .audit = &events, .oidc = &keys});
  trusting_role("pods");
  const std::string text_of = token();
  events.take();
  EXPECT_EQ(ask("pods", text_of).status, 200);
  ask("absent", text_of);
  const std::vector<std::string> lines = events.take();
  ASSERT_EQ(lines.size(), 2U);
  for (const std::string& line : lines) {
    EXPECT_NE(line.find("sts:AssumeRoleWithWebIdentity"), std::string::npos) << line;
    EXPECT_NE(line.find(kName + ":alice"), std::string::npos) << line;
    EXPECT_EQ(line.find(text_of), std::string::npos);
  }
  EXPECT_NE(lines[0].find("role/pods"), std::string::npos) << lines[0];
  EXPECT_NE(lines[0].find("trust_policy"), std::string::npos) << lines[0];
  EXPECT_NE(lines[1].find("AccessDenied: not_allowed"), std::string::npos) << lines[1];
}

}  // namespace
}  // namespace outcrop::iam::test
