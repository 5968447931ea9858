// Which requests of IAM and STS leave a record, what is in it, and what never is.
#include "tests/support/recorded_events.h"
#include "tests/unit/api/iam/iam_fixture.h"

namespace outcrop::iam::test {
namespace {

using Lines = std::vector<std::string>;

const std::string kRequest = R"("request":"0123456789ABCDEF",)";

std::string member(const std::string& line, const std::string& name) {
  const std::string start = "\"" + name + "\":\"";
  const std::size_t at = line.find(start);
  const std::size_t from = at + start.size();
  return at == std::string::npos ? "(none)" : line.substr(from, line.find('"', from) - from);
}

class IamAudit : public Iam {
 protected:
  IamAudit() { handler = make_handler({.store = *store, .clock = clock, .audit = &events}); }
  /// The only record since the last call.
  std::string only() {
    Lines all = events.take();
    EXPECT_EQ(all.size(), 1U) << ::testing::PrintToString(all);
    return all.empty() ? "" : all.front();
  }
  testing::RecordedEvents events;
};

TEST_F(IamAudit, ChangesAndWhyTheyWereLet) {
  works("CreateUser", {{"UserName", "alice"}, {"Path", "/dev/"}});
  EXPECT_EQ(only(), R"("protocol":"iam","identity":"ROOT",)" + kRequest +
                        R"("action":"iam:CreateUser",)"
                        R"("resource":"arn:aws:iam::000000000000:user/dev/alice",)"
                        R"("result":"ok","status":"200","reason":"root")");
  const std::string alice = "arn:aws:iam::000000000000:user/dev/alice";
  const std::string arn =
      text(send("CreatePolicy", {{"PolicyName", "m"}, {"PolicyDocument", kAllowAll}}).body, "Arn");
  EXPECT_EQ(member(only(), "resource"), arn);
  works("AttachUserPolicy", {{"UserName", "alice"}, {"PolicyArn", arn}});
  std::string line = only();
  EXPECT_EQ(member(line, "resource"), alice);
  EXPECT_EQ(member(line, "target"), arn);
  works("PutUserPolicy",
        {{"UserName", "alice"}, {"PolicyName", "own"}, {"PolicyDocument", kAllowAll}});
  line = only();
  EXPECT_EQ(member(line, "target"), "own");
  EXPECT_EQ(line.find("2012"), std::string::npos) << line;  // no documents
  works("CreateGroup", {{"GroupName", "g"}});
  events.take();
  works("AddUserToGroup", {{"GroupName", "g"}, {"UserName", "alice"}});
  line = only();
  EXPECT_EQ(member(line, "resource"), "arn:aws:iam::000000000000:group/g");
  EXPECT_EQ(member(line, "target"), "alice");
  EXPECT_EQ(failure("CreateGroup", {{"GroupName", "g"}}), "EntityAlreadyExists");
  line = only();
  EXPECT_EQ(member(line, "result"), "failed");
  EXPECT_EQ(member(line, "reason"), "EntityAlreadyExists");
}

TEST_F(IamAudit, KeysByTheirIdAndNoSecrets) {
  works("CreateUser", {{"UserName", "alice"}});
  events.take();
  const Reply made = send("CreateAccessKey", {{"UserName", "alice"}});
  const Signer alice{text(made.body, "AccessKeyId"), text(made.body, "SecretAccessKey")};
  std::string line = only();
  EXPECT_EQ(member(line, "target"), alice.access_key);
  EXPECT_EQ(line.find(alice.secret), std::string::npos) << line;
  const Signer session = credentials_of(sts("GetSessionToken", {}, alice));
  line = only();
  EXPECT_EQ(member(line, "protocol"), "sts");
  EXPECT_EQ(member(line, "identity"), alice.access_key);
  EXPECT_EQ(member(line, "resource"), "arn:aws:iam::000000000000:user/alice");
  EXPECT_EQ(member(line, "target"), session.access_key);
  EXPECT_EQ(member(line, "reason"), "own_rights");
  EXPECT_EQ(line.find(session.secret), std::string::npos) << line;
  EXPECT_EQ(line.find(session.token.substr(0, 40)), std::string::npos) << line;
  works("UpdateAccessKey",
        {{"UserName", "alice"}, {"AccessKeyId", alice.access_key}, {"Status", "Inactive"}});
  EXPECT_EQ(member(only(), "target"), alice.access_key + " Inactive");
}

TEST_F(IamAudit, RolesThatAreAssumed) {
  const Signer alice = new_user("alice"), bob = new_user("bob", R"({"Statement":{"Sid":"NoRoles",
      "Effect":"Deny","Action":"sts:*","Resource":"*"}})");
  works("CreateRole", {{"RoleName", "r"}, {"AssumeRolePolicyDocument", R"({"Statement":[
      {"Sid":"Alice","Effect":"Allow","Action":"sts:AssumeRole",
       "Principal":{"AWS":"arn:aws:iam::000000000000:user/alice"}},
      {"Effect":"Allow","Action":"sts:AssumeRole",
       "Principal":{"AWS":"arn:aws:iam::000000000000:user/bob"}}]})"}});
  events.take();
  const Signer session = credentials_of(assume("r", alice, {{"ExternalId", "hush"}}));
  std::string line = only();
  EXPECT_EQ(member(line, "action"), "sts:AssumeRole");
  EXPECT_EQ(member(line, "resource"), "arn:aws:iam::000000000000:role/r");
  EXPECT_EQ(member(line, "target"), session.access_key);
  EXPECT_EQ(member(line, "reason"), "trust_policy (Alice)");
  EXPECT_EQ(line.find("hush"), std::string::npos) << line;
  EXPECT_EQ(assume("r", bob).status, 403);
  line = only();
  EXPECT_EQ(member(line, "result"), "denied");
  EXPECT_EQ(member(line, "reason"), "AccessDenied: denied_by_identity (NoRoles)");
  EXPECT_EQ(assume("absent", alice).status, 403);
  EXPECT_EQ(member(only(), "reason"), "AccessDenied: not_allowed");
}

TEST_F(IamAudit, ReadsLeaveOneOnlyIfTheyAreRefused) {
  const Signer alice = new_user("alice");
  events.take();
  EXPECT_EQ(send("ListUsers").status, 200);
  EXPECT_EQ(send("GetUser", {{"UserName", "alice"}}).status, 200);
  EXPECT_EQ(sts("GetCallerIdentity", {}, alice).status, 200);
  EXPECT_EQ(failure("GetUser", {{"UserName", "bob"}}), "NoSuchEntity");
  EXPECT_EQ(events.take(), Lines{});
  EXPECT_EQ(failure("ListUsers", {}, alice), "AccessDenied");
  const std::string line = only();
  EXPECT_EQ(member(line, "identity"), alice.access_key);
  EXPECT_EQ(member(line, "action"), "iam:ListUsers");
  EXPECT_EQ(member(line, "result"), "denied");
  EXPECT_EQ(member(line, "reason"), "AccessDenied: not_allowed");
}

TEST_F(IamAudit, WhoCannotSignIsRecordedWithoutAnIdentity) {
  EXPECT_EQ(failure("CreateUser", {{"UserName", "x"}}, {"ROOT", "another-secret"}),
            "SignatureDoesNotMatch");
  EXPECT_EQ(only(), R"("protocol":"iam",)" + kRequest +
                        R"("action":"iam:POST","result":"denied","status":"403",)"
                        R"("reason":"SignatureDoesNotMatch")");
  EXPECT_EQ(failure("CreateSAMLProvider", {}), "NotImplemented");
  const std::string line = only();
  EXPECT_EQ(member(line, "action"), "iam:CreateSAMLProvider");
  EXPECT_EQ(member(line, "result"), "failed");
}

// Each action says whether it changes something; a new one that does not would go unrecorded.
TEST_F(IamAudit, OnlyReadsAreReads) {
  for (const Action& action : actions()) {
    const bool reads = action.name.starts_with("List") || action.name.starts_with("Simulate") ||
                       (action.name.starts_with("Get") && action.name != "GetSessionToken");
    EXPECT_EQ(action.access, reads ? Access::read : Access::write) << action.name;
  }
}

}  // namespace
}  // namespace outcrop::iam::test
