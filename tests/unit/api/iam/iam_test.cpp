// IAM over the wire: signatures of forms, every action, permissions, errors, pages.
#include "api/iam/form.h"
#include "tests/unit/api/iam/iam_fixture.h"

namespace outcrop::iam::test {
namespace {

TEST_F(Iam, CallerIdentity) {
  const Reply root = send("GetCallerIdentity", {}, {}, "sts");
  EXPECT_EQ(root.status, 200) << root.body;
  EXPECT_EQ(text(root.body, "Arn"), "arn:aws:iam::000000000000:root");
  const Reply alice = send("GetCallerIdentity", {}, new_user("alice"), "sts");
  EXPECT_EQ(text(alice.body, "Arn"), "arn:aws:iam::000000000000:user/alice");
  EXPECT_EQ(text(alice.body, "Account"), "000000000000");
  EXPECT_EQ(send("GetCallerIdentity").status, 501);  // not an action of IAM
}

TEST_F(Iam, SignaturesOfForms) {
  const std::string body = encode({{"Action", "ListUsers"}});
  http::Request good = request(body, "iam", {});
  EXPECT_EQ(serve(good, body).status, 200);
  http::Request with_header = request(body, "iam", {}, true);
  EXPECT_EQ(serve(with_header, body).status, 200);
  http::Request other_body = request(body, "iam", {});
  EXPECT_EQ(text(serve(other_body, body + "&MaxItems=1").body, "Code"), "SignatureDoesNotMatch");
  http::Request other_header = request(body, "iam", {}, true);
  EXPECT_EQ(text(serve(other_header, body + "&MaxItems=1").body, "Code"), "IncompleteSignature");
  http::Request wrong_secret = request(body, "iam", {"ROOT", "another-secret"});
  EXPECT_EQ(text(serve(wrong_secret, body).body, "Code"), "SignatureDoesNotMatch");
  http::Request nobody = request(body, "iam", {"NOBODY", "root-secret-key"});
  EXPECT_EQ(text(serve(nobody, body).body, "Code"), "InvalidClientTokenId");
  http::Request late = request(body, "iam", {});
  clock.set(auth::test::kDocTime + 901);
  EXPECT_EQ(serve(late, body).status, 403);
  clock.set(auth::test::kDocTime);
  http::Request tokened = request(body, "iam", {});
  auth::test::set_header(tokened, "x-amz-security-token", "x");
  EXPECT_EQ(serve(tokened, body).status, 403);
  // IAM and STS are global: a client without a region signs for the empty one.
  for (const char* service : {"iam", "sts"}) {
    const std::string who = encode({{"Action", "GetCallerIdentity"}});
    http::Request global = request(who, service, {}, false, "");
    EXPECT_TRUE(is_for_iam(global));
    EXPECT_EQ(serve(global, who).status, service == std::string("sts") ? 200 : 501) << service;
    http::Request forged = request(who, service, {"ROOT", "another-secret"}, false, "");
    EXPECT_EQ(text(serve(forged, who).body, "Code"), "SignatureDoesNotMatch");
    // The signature is for the region that it names.
    http::Request moved = request(who, service, {}, false, "");
    for (http::Header& header : moved.headers) {
      if (const auto at = header.value.find("//" + std::string(service)); at != std::string::npos) {
        header.value.insert(at + 1, "us-east-1");
      }
    }
    EXPECT_EQ(text(serve(moved, who).body, "Code"), "SignatureDoesNotMatch");
  }
  // What is signed for S3 is not for here, and the other way round.
  EXPECT_FALSE(is_for_iam(request(body, "s3", {})));
  EXPECT_FALSE(is_for_iam(auth::test::make_request("POST", "/", {})));
  http::Request get = request(body, "iam", {});
  get.method = "GET";
  EXPECT_FALSE(is_for_iam(get));
  get.method = "POST";
  get.target = "/bucket";
  EXPECT_FALSE(is_for_iam(get));
}

TEST_F(Iam, ABodyThatIsTooLongIsRefusedBeforeItIsRead) {
  const std::string body(2 * kMaxFormBytes, 'a');
  http::Request large = request(body, "iam", {});
  TextBody known(body);
  EXPECT_EQ(serve(large, known).status, 413);
  EXPECT_EQ(known.bytes_read(), 0U);
  TextBody unknown(body, false);
  EXPECT_EQ(serve(large, unknown).status, 413);
  EXPECT_GT(unknown.bytes_read(), kMaxFormBytes);
  EXPECT_LE(unknown.bytes_read(), kMaxFormBytes + 4096);
  std::string most = encode({{"Action", "ListUsers"}, {"MaxItems", "1"}});
  most.append(kMaxFormBytes - most.size(), '&');  // empty parameters are none
  http::Request fits = request(most, "iam", {});
  EXPECT_EQ(serve(fits, most).status, 200);
  most.push_back('&');
  http::Request does_not = request(most, "iam", {});
  EXPECT_EQ(serve(does_not, most).status, 413);
}

// CVE-2020-11012 and CVE-2026-72920: administration only with a signature and a permission.
TEST_F(Iam, CVE_2020_11012_EveryActionNeedsItsPermission) {
  const Signer nobody = new_user("nobody");
  for (const Action& action : actions()) {
    const Parameters parameters =
        action.permission.empty() ? Parameters{} : Parameters{{"UserName", "nobody"}};
    const Reply reply =
        send(std::string(action.name), parameters, nobody, std::string(action.service));
    if (action.permission.empty()) {
      EXPECT_EQ(reply.status, action.name.starts_with("AssumeRole") ? 400 : 200) << action.name;
      continue;
    }
    EXPECT_TRUE(policy::find_action(action.permission)) << action.name;
    EXPECT_EQ(reply.status, 403) << action.name << reply.body;
    EXPECT_EQ(text(reply.body, "Code"), "AccessDenied") << action.name;
  }
  EXPECT_EQ(text(send("ListUsers").body, "UserName"), "nobody");
}

TEST_F(Iam, PermissionsAreAboutAResource) {
  const Signer keeper = new_user("keeper", R"({"Version":"2012-10-17","Statement":{"Effect":"Allow",
      "Action":["iam:*AccessKey*","iam:GetUser"],"Resource":"arn:aws:iam::*:user/${aws:username}"}})");
  new_user("alice");
  EXPECT_EQ(send("ListAccessKeys", {}, keeper).status, 200);
  EXPECT_EQ(send("GetUser", {{"UserName", "keeper"}}, keeper).status, 200);
  EXPECT_EQ(failure("ListAccessKeys", {{"UserName", "alice"}}, keeper), "AccessDenied");
  EXPECT_EQ(failure("CreateAccessKey", {{"UserName", "alice"}}, keeper), "AccessDenied");
  EXPECT_EQ(
      failure("PutUserPolicy",
              {{"UserName", "keeper"}, {"PolicyName", "q"}, {"PolicyDocument", kAllowAll}}, keeper),
      "AccessDenied");
}

// The new policy is what PolicyName and Path say; no other parameter names it.
TEST_F(Iam, ANewPolicyIsJudgedByItsOwnName) {
  const Signer team = new_user("team", R"({"Version":"2012-10-17","Statement":{"Effect":"Allow",
      "Action":"iam:CreatePolicy","Resource":"arn:aws:iam::000000000000:policy/team-a/*"}})");
  EXPECT_EQ(failure("CreatePolicy",
                    {{"PolicyName", "admin"},
                     {"PolicyDocument", kAllowAll},
                     {"PolicyArn", "arn:aws:iam::000000000000:policy/team-a/x"}},
                    team),
            "AccessDenied");
  EXPECT_EQ(failure("CreatePolicy", {{"PolicyName", "x"}, {"PolicyDocument", kAllowAll}}, team),
            "AccessDenied");
  EXPECT_EQ(send("CreatePolicy",
                 {{"PolicyName", "x"}, {"Path", "/team-a/"}, {"PolicyDocument", kAllowAll}}, team)
                .status,
            200);
  EXPECT_EQ(count(send("ListPolicies", {{"Scope", "Local"}}).body, "<PolicyName>"), 1U);
}

// What a caller asks for in vain is refused: a boundary or a tag that is dropped grants too much.
TEST_F(Iam, NoParameterIsIgnored) {
  new_user("alice", kAllowAll);
  for (const Action& action : actions()) {
    const auto code = [&](const std::string& name) {
      return text(
          send(std::string(action.name), {{name, "x"}}, {}, std::string(action.service)).body,
          "Code");
    };
    EXPECT_EQ(code("Nonsense"), "ValidationError") << action.name;
    EXPECT_EQ(code("username"), "ValidationError") << action.name;
    for (const char* name :
         {"PermissionsBoundary", "Tags.member.1.Key", "Tags.member.2.Value", "Tags", "TokenCode",
          "PolicyArns.member.2.arn", "TransitiveTagKeys.member.7", "ProvidedContexts.member.1.ARN",
          "SerialNumber", "SourceIdentity", "PolicyUsageFilter"}) {
      const std::string_view stem =
          std::string_view(name).substr(0, std::string_view(name).find('.'));
      const bool heeded = action.parameters.contains(std::string(stem) + ".") ||
                          (std::string(action.parameters) + " ").contains(std::string(stem) + " ");
      if (!heeded) {
        EXPECT_EQ(code(name), "NotImplemented") << action.name << " " << name;
      }
    }
  }
  const Parameters role{{"RoleName", "r"}, {"AssumeRolePolicyDocument", kTrust}};
  const auto with = [&](const std::string& name, const std::string& value) {
    Parameters out = role;
    out.push_back({name, value});
    return out;
  };
  for (const char* bad : {"3599", "43201", "x", ""}) {
    EXPECT_EQ(failure("CreateRole", with("MaxSessionDuration", bad)), "ValidationError") << bad;
  }
  EXPECT_EQ(failure("CreateRole", with("PermissionsBoundary", "arn")), "NoSuchEntity");
  EXPECT_EQ(failure("GetRole", {{"RoleName", "r"}}), "NoSuchEntity");
  works("CreateRole", with("MaxSessionDuration", "3600"));
  works("DeleteRole", {{"RoleName", "r"}});
  works("CreateRole", with("Tags", ""));  // an empty list asks for nothing
  EXPECT_EQ(failure("ListPolicies", {{"Scope", "None"}}), "ValidationError");
  EXPECT_EQ(failure("ListPolicies", {{"OnlyAttached", "yes"}}), "ValidationError");
}

TEST_F(Iam, AttachedPoliciesByPath) {
  new_user("alice");
  for (const auto& [name, path] : Parameters{{"a", "/x/"}, {"b", "/y/"}}) {
    const Reply made =
        send("CreatePolicy", {{"PolicyName", name}, {"Path", path}, {"PolicyDocument", kAllowAll}});
    works("AttachUserPolicy", {{"UserName", "alice"}, {"PolicyArn", text(made.body, "Arn")}});
  }
  const Reply some =
      send("ListAttachedUserPolicies", {{"UserName", "alice"}, {"PathPrefix", "/y/"}});
  EXPECT_EQ(count(some.body, "<PolicyName>"), 1U);
  EXPECT_EQ(text(some.body, "PolicyName"), "b");
}

TEST_F(Iam, UsersAndKeys) {
  const Reply made = send("CreateUser", {{"UserName", "alice"}, {"Path", "/dev/"}});
  EXPECT_EQ(text(made.body, "Arn"), "arn:aws:iam::000000000000:user/dev/alice");
  EXPECT_EQ(text(made.body, "CreateDate"), "2013-05-24T00:00:00Z");
  EXPECT_EQ(text(send("GetUser", {{"UserName", "alice"}}).body, "UserId"),
            text(made.body, "UserId"));
  EXPECT_EQ(text(send("GetUser").body, "Arn"), "arn:aws:iam::000000000000:root");
  EXPECT_EQ(failure("CreateUser", {{"UserName", "alice"}}), "EntityAlreadyExists");
  EXPECT_EQ(failure("CreateUser", {}), "ValidationError");
  EXPECT_EQ(failure("GetUser", {{"UserName", "bob"}}), "NoSuchEntity");
  const Reply key = send("CreateAccessKey", {{"UserName", "alice"}});
  const Signer alice{text(key.body, "AccessKeyId"), text(key.body, "SecretAccessKey")};
  EXPECT_EQ(text(send("ListAccessKeys", {{"UserName", "alice"}}).body, "AccessKeyId"),
            alice.access_key);
  EXPECT_EQ(send("ListAccessKeys", {{"UserName", "alice"}}).body.find("Secret"), std::string::npos);
  works("UpdateAccessKey",
        {{"UserName", "alice"}, {"AccessKeyId", alice.access_key}, {"Status", "Inactive"}});
  EXPECT_EQ(failure("GetCallerIdentity", {}, alice), "InvalidClientTokenId");
  EXPECT_EQ(failure("UpdateAccessKey",
                    {{"UserName", "alice"}, {"AccessKeyId", alice.access_key}, {"Status", "Off"}}),
            "ValidationError");
  EXPECT_EQ(failure("DeleteUser", {{"UserName", "alice"}}), "DeleteConflict");
  works("DeleteAccessKey", {{"UserName", "alice"}, {"AccessKeyId", alice.access_key}});
  works("DeleteUser", {{"UserName", "alice"}});
}

// No name is nobody's name: not that of the root user, and not that of a session of a role.
TEST_F(Iam, WhoIsNoUserNamesTheUser) {
  const Signer alice = new_user("alice", kAllowAll);
  new_role("r", R"({"AWS":"arn:aws:iam::000000000000:user/alice"})", kAllowAll);
  const Signer session = credentials_of(assume("r", alice));
  const Parameters key{{"AccessKeyId", alice.access_key}, {"Status", "Inactive"}};
  const auto with = [](Parameters some, const std::string& user) {
    some.push_back({"UserName", user});
    return some;
  };
  EXPECT_EQ(failure("ListGroupsForUser", {}), "ValidationError");
  for (const char* action : {"CreateAccessKey", "ListAccessKeys", "ListGroupsForUser"}) {
    EXPECT_EQ(failure(action, {}, session), "ValidationError") << action;
  }
  EXPECT_EQ(failure("UpdateAccessKey", key, session), "ValidationError");
  EXPECT_EQ(failure("DeleteAccessKey", {key[0]}, session), "ValidationError");
  EXPECT_EQ(failure("GetUser", {}, session), "ValidationError");
  for (const Signer& who : {Signer{}, session, alice}) {
    for (const char* action : {"CreateAccessKey", "ListAccessKeys", "ListGroupsForUser", "GetUser",
                               "DeleteUser", "ListUserPolicies"}) {
      EXPECT_EQ(failure(action, with({}, ""), who), "ValidationError") << action;
    }
    EXPECT_EQ(failure("UpdateAccessKey", with(key, ""), who), "ValidationError");
  }
  EXPECT_EQ(text(send("ListAccessKeys", {}, alice).body, "AccessKeyId"), alice.access_key);
  EXPECT_EQ(send("GetUser", {}, alice).status, 200);
}

TEST_F(Iam, GroupsAndPolicies) {
  new_user("alice");
  works("CreateGroup", {{"GroupName", "g"}});
  works("AddUserToGroup", {{"GroupName", "g"}, {"UserName", "alice"}});
  EXPECT_EQ(text(send("GetGroup", {{"GroupName", "g"}}).body, "UserName"), "alice");
  EXPECT_EQ(text(send("ListGroupsForUser", {{"UserName", "alice"}}).body, "GroupName"), "g");
  const Reply made = send(
      "CreatePolicy", {{"PolicyName", "m"}, {"Description", "d"}, {"PolicyDocument", kAllowAll}});
  const std::string arn = text(made.body, "Arn");
  EXPECT_EQ(arn, "arn:aws:iam::000000000000:policy/m");
  for (const auto& [kind, name] : Parameters{{"User", "alice"}, {"Group", "g"}}) {
    const std::pair<std::string, std::string> who{kind + "Name", name};
    works("Attach" + kind + "Policy", {who, {"PolicyArn", arn}});
    EXPECT_EQ(text(send("ListAttached" + kind + "Policies", {who}).body, "PolicyArn"), arn);
    works("Put" + kind + "Policy", {who, {"PolicyName", "own"}, {"PolicyDocument", kAllowAll}});
    EXPECT_NE(send("List" + kind + "Policies", {who}).body.find("<member>own</member>"),
              std::string::npos);
    const Reply shown = send("Get" + kind + "Policy", {who, {"PolicyName", "own"}});
    EXPECT_EQ(text(shown.body, "PolicyDocument").substr(0, 13), "%7B%22Version");
    EXPECT_EQ(failure("Get" + kind + "Policy", {who, {"PolicyName", "none"}}), "NoSuchEntity");
    EXPECT_EQ(
        failure("Put" + kind + "Policy", {who, {"PolicyName", "x"}, {"PolicyDocument", "{}"}}),
        "MalformedPolicyDocument");
  }
  EXPECT_EQ(text(send("GetPolicy", {{"PolicyArn", arn}}).body, "AttachmentCount"), "2");
  EXPECT_EQ(failure("DeletePolicy", {{"PolicyArn", arn}}), "DeleteConflict");
  EXPECT_EQ(text(send("GetPolicyVersion", {{"PolicyArn", arn}, {"VersionId", "v1"}}).body,
                 "IsDefaultVersion"),
            "true");
  EXPECT_EQ(failure("GetPolicyVersion", {{"PolicyArn", arn}, {"VersionId", "v2"}}), "NoSuchEntity");
  EXPECT_EQ(count(send("ListPolicies", {{"Scope", "Local"}}).body, "<PolicyName>"), 1U);
  EXPECT_EQ(send("CreatePolicy", {{"PolicyName", "l"}, {"PolicyDocument", kAllowAll}}).status, 200);
  const Reply both = send("ListPolicies", {{"Scope", "Local"}}),
              attached = send("ListPolicies", {{"OnlyAttached", "true"}});
  EXPECT_EQ(text(both.body, "AttachmentCount"), "0");  // of "l"
  EXPECT_EQ(count(both.body, "<AttachmentCount>2</AttachmentCount>"), 1U);
  EXPECT_EQ(count(attached.body, "<PolicyName>"), 1U);
  EXPECT_EQ(text(attached.body, "AttachmentCount"), "2");

  for (const auto& [kind, name] : Parameters{{"User", "alice"}, {"Group", "g"}}) {
    const std::pair<std::string, std::string> who{kind + "Name", name};
    works("Detach" + kind + "Policy", {who, {"PolicyArn", arn}});
    works("Delete" + kind + "Policy", {who, {"PolicyName", "own"}});
  }
  works("DeletePolicy", {{"PolicyArn", arn}});
  works("RemoveUserFromGroup", {{"GroupName", "g"}, {"UserName", "alice"}});
  works("DeleteGroup", {{"GroupName", "g"}});
}

TEST_F(Iam, Roles) {
  works("CreateRole",
        {{"RoleName", "r"}, {"AssumeRolePolicyDocument", kTrust}, {"Description", "d"}});
  EXPECT_EQ(text(send("GetRole", {{"RoleName", "r"}}).body, "Description"), "d");
  works("UpdateAssumeRolePolicy", {{"RoleName", "r"}, {"PolicyDocument", kTrust}});
  works("PutRolePolicy", {{"RoleName", "r"}, {"PolicyName", "p"}, {"PolicyDocument", kAllowAll}});
  works("DeleteRolePolicy", {{"RoleName", "r"}, {"PolicyName", "p"}});
  EXPECT_EQ(count(send("ListRoles").body, "<RoleName>"), 1U);
  works("DeleteRole", {{"RoleName", "r"}});
}

TEST_F(Iam, Pages) {
  for (int i = 0; i < 25; ++i) {
    works("CreateUser", {{"UserName", "u" + std::to_string(100 + i)}});
  }
  std::string marker;
  std::size_t seen = 0, pages = 0;
  for (bool more = true; more; ++pages) {
    Parameters parameters{{"MaxItems", "10"}};
    if (!marker.empty()) {
      parameters.push_back({"Marker", marker});
    }
    const Reply reply = send("ListUsers", parameters);
    seen += count(reply.body, "<UserName>");
    more = text(reply.body, "IsTruncated") == "true";
    marker = text(reply.body, "Marker");
  }
  EXPECT_EQ(seen, 25U);
  EXPECT_EQ(pages, 3U);
  for (const char* bad : {"0", "1001", "x", "-1"}) {
    EXPECT_EQ(failure("ListUsers", {{"MaxItems", bad}}), "ValidationError") << bad;
  }
}

TEST_F(Iam, CapitalsDoNotOrderPages) {
  for (const char* name : {"ad", "Ac", "ab", "Aa"}) {
    works("CreateGroup", {{"GroupName", name}});
  }
  std::string order, marker;
  for (bool more = true; more;) {
    Parameters parameters{{"MaxItems", "1"}};
    if (!marker.empty()) {
      parameters.push_back({"Marker", marker});
    }
    const Reply reply = send("ListGroups", parameters);
    order += text(reply.body, "GroupName") + " ";
    more = text(reply.body, "IsTruncated") == "true";
    marker = text(reply.body, "Marker");
  }
  EXPECT_EQ(order, "Aa ab Ac ad ");
}

TEST_F(Iam, WhatIsNotThereSaysSo) {
  EXPECT_EQ(failure("CreateSAMLProvider", {}), "NotImplemented");
  EXPECT_EQ(failure("", {}), "NotImplemented");
  meta.fail_next_commit(Errc::read_only);
  EXPECT_EQ(failure("CreateUser", {{"UserName", "alice"}}), "ServiceUnavailable");
}

TEST(IamForm, Parsing) {
  const auto form = Form::parse("a=1&b=x+y%2Bz&&c&d=");
  ASSERT_TRUE(form);
  EXPECT_EQ(form->get("b"), "x y+z");
  EXPECT_EQ(form->find("c"), "");
  EXPECT_FALSE(form->find("e"));
  for (const char* bad : {"a=1&a=2", "a=%", "a=%zz", "a=%ff", "a=%00", "%zz=1"}) {
    EXPECT_FALSE(Form::parse(bad)) << bad;
  }
  std::string many;
  for (std::size_t i = 0; i < kMaxParameters; ++i) {
    many += "p" + std::to_string(i) + "=1&";
  }
  EXPECT_TRUE(Form::parse(many));
  EXPECT_FALSE(Form::parse(many + "more=1"));
}

}  // namespace
}  // namespace outcrop::iam::test
