// Session tags that a provider puts into its tokens.
#include "tests/unit/api/iam/web_identity_fixture.h"

namespace outcrop::iam::test {
namespace {

constexpr std::string_view kClaim = "https://aws.amazon.com/tags";

class WebIdentityTags : public WebIdentity {
 protected:
  /// A role that may be had by anybody of the provider; with tags if `condition` holds. It lists
  /// users for the team "red".
  void role_with_tags(const std::string& name, const std::string& condition) {
    works("CreateRole",
          {{"RoleName", name},
           {"AssumeRolePolicyDocument",
            R"({"Statement":[{"Effect":"Allow","Action":"sts:AssumeRoleWithWebIdentity",
                "Principal":{"Federated":")" +
                kProviderArn +
                R"("}},{"Effect":"Allow","Action":"sts:TagSession","Principal":{"Federated":")" +
                kProviderArn + R"("},"Condition":)" + condition + "}]}"}});
    works("PutRolePolicy",
          {{"RoleName", name},
           {"PolicyName", "p"},
           {"PolicyDocument",
            R"({"Statement":[{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*",
                "Condition":{"StringEquals":{"aws:PrincipalTag/team":"red"}}},
                {"Effect":"Allow","Action":"sts:*","Resource":"*"}]})"}});
  }
  /// `object`: the claim in one piece.
  static std::string nested(const std::string& object) {
    return token(claims(R"(,"sub":"alice","aud":"box",")" + std::string(kClaim) + "\":" + object));
  }
  static std::string tags(const std::string& team, const std::string& more = "") {
    return nested(R"({"principal_tags":{"team":[")" + team + "\"]}" + more + "}");
  }
};

constexpr const char* kTeams = R"({"StringEquals":{"aws:RequestTag/team":["red","blue"]}})";

TEST_F(WebIdentityTags, AreThoseOfTheSession) {
  role_with_tags("pods", kTeams);
  EXPECT_EQ(failure("ListUsers", {}, credentials_of(ask("pods", token()))), "AccessDenied");
  const Signer red = credentials_of(ask("pods", tags("red")));
  EXPECT_EQ(send("ListUsers", {}, red).status, 200);
  const Signer blue = credentials_of(ask("pods", tags("blue")));
  EXPECT_EQ(failure("ListUsers", {}, blue), "AccessDenied");
}

TEST_F(WebIdentityTags, NeedThePermissionToTag) {
  role_with_tags("pods", kTeams);
  EXPECT_EQ(refusal("pods", tags("green")), "AccessDenied");
  trusting_role("plain");
  EXPECT_EQ(ask("plain", token()).status, 200);
  const Reply refused = ask("plain", tags("red"));
  EXPECT_EQ(code(refused), "AccessDenied");
  EXPECT_NE(refused.body.find("sts:TagSession"), std::string::npos) << refused.body;
}

// The form is nobody's word.
TEST_F(WebIdentityTags, TheFormSaysNothing) {
  role_with_tags("pods", kTeams);
  const Parameters red{{"Tags.member.1.Key", "team"}, {"Tags.member.1.Value", "red"}};
  const Reply reply = ask("pods", tags("green"), red);
  EXPECT_GE(reply.status, 400) << reply.body;
  EXPECT_GE(ask("pods", token(), red).status, 400);
}

TEST_F(WebIdentityTags, NamesInOnePiece) {
  role_with_tags("pods", R"({"ForAllValues:StringEquals":{"aws:TagKeys":["team","unit"],
                             "sts:TransitiveTagKeys":["team"]}})");
  const std::string claim(kClaim);
  const std::string flat =
      R"(,"sub":"alice","aud":"box",")" + claim + R"(/principal_tags/team":["red"],")" + claim +
      R"(/principal_tags/unit":"a",")" + claim + R"(/transitive_tag_keys":["team"])";
  EXPECT_EQ(send("ListUsers", {}, credentials_of(ask("pods", token(claims(flat))))).status, 200);
  EXPECT_EQ(
      refusal("pods", token(claims(flat + ",\"" + claim + R"(/principal_tags/other":["x"])"))),
      "AccessDenied");
}

TEST_F(WebIdentityTags, TransitiveOnesAreHandedOn) {
  role_with_tags("pods", kTeams);
  new_role("next", R"({"AWS":"arn:aws:iam::000000000000:role/pods"})",
           R"({"Statement":{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*",
               "Condition":{"StringEquals":{"aws:PrincipalTag/team":"red"}}}})");
  const Signer kept =
      credentials_of(ask("pods", tags("red", R"(,"transitive_tag_keys":["team"])")));
  EXPECT_EQ(send("ListUsers", {}, credentials_of(assume("next", kept))).status, 200);
  const Signer dropped = credentials_of(ask("pods", tags("red")));
  EXPECT_EQ(failure("ListUsers", {}, credentials_of(assume("next", dropped))), "AccessDenied");
}

TEST_F(WebIdentityTags, ThatAreNone) {
  role_with_tags("pods", kTeams);
  for (const char* bad :
       {"1", R"(["team"])", R"({"principal_tags":["team"]})", R"({"principal_tags":{"team":[]}})",
        R"({"principal_tags":{"team":["red","blue"]}})", R"({"principal_tags":{"team":[1]}})",
        R"({"principal_tags":{"team":["red"]},"transitive_tag_keys":"team"})",
        R"({"principal_tags":{"team":["red"]},"transitive_tag_keys":[1]})"}) {
    EXPECT_EQ(refusal("pods", nested(bad)), "InvalidIdentityToken") << bad;
  }
  EXPECT_EQ(refusal("pods", tags("r;d")), "ValidationError");
  EXPECT_EQ(refusal("pods", nested(R"({"principal_tags":{"aws:x":["red"]}})")), "InvalidInput");
  EXPECT_EQ(refusal("pods", nested(R"({"principal_tags":{"team":["red"],"TEAM":["red"]}})")),
            "InvalidInput");
  EXPECT_EQ(refusal("pods", tags("red", R"(,"transitive_tag_keys":["other"])")), "ValidationError");
  std::string many;
  for (int i = 0; i < 51; ++i) {
    many += (i > 0 ? "," : "") + ("\"k" + std::to_string(i)) + R"(":["v"])";
  }
  EXPECT_EQ(refusal("pods", nested(R"({"principal_tags":{)" + many + "}}")),
            "InvalidIdentityToken");
}

}  // namespace
}  // namespace outcrop::iam::test
