// Where statements stand, and which keys a document asks for.
#include "auth/policy/explain.h"

#include "tests/unit/auth/policy/support.h"

namespace outcrop::policy::test {
namespace {

using List = std::vector<std::string>;

std::string cut(std::string_view text, const Span& span) {
  const auto offset = [&](const Place& place) {
    std::size_t at = 0;
    for (std::size_t line = 1; line < place.line; ++line) {
      at = text.find('\n', at) + 1;
    }
    return at + place.column - 1;
  };
  return std::string(text.substr(offset(span.begin), offset(span.end) - offset(span.begin)));
}

TEST(Explain, OneStatement) {
  const std::string text =
      R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}})";
  const auto spans = statement_spans(text);
  ASSERT_EQ(spans.size(), 1U);
  EXPECT_EQ(spans[0].begin, (Place{1, 38}));
  EXPECT_EQ(spans[0].end, (Place{1, text.size()}));
}

TEST(Explain, ManyStatementsOverLines) {
  const std::string first =
      "{ \"Effect\": \"Allow\",\n \"Action\": [\"s3:*\"], \"Sid\": \"a}{\\\"\",\n"
      " \"Resource\": \"*\", \"Condition\": {\"Bool\": {\"aws:SecureTransport\": \"true\"}}}";
  const std::string second = R"({"Effect":"Deny","Action":"*","Resource":["*"]})";
  const std::string text = "{\n  \"Id\": \"Statement\",\n\"St\\u0061tement\": [\n" + first +
                           ",\n\t " + second + "]\n, \"Version\": \"2012-10-17\"}";
  const Policy policy = compiled(text);
  const auto spans = statement_spans(text);
  ASSERT_EQ(spans.size(), policy.statements().size());
  EXPECT_EQ(cut(text, spans[0]), "\n" + first);
  EXPECT_EQ(cut(text, spans[1]), "\n\t " + second);
}

// What AWS answers for these: the example of simulate-custom-policy in the AWS CLI's reference, and
// AdministratorAccess as AWS writes it.
TEST(Explain, PlacesAreAwss) {
  const auto one = statement_spans(
      R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"dynamodb:*","Resource":"*",)"
      R"("Condition":{"DateGreaterThan":{"aws:CurrentTime":"2018-08-16T12:00:00Z"}}}})");
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0].begin, (Place{1, 38}));
  EXPECT_EQ(one[0].end, (Place{1, 167}));
  const auto listed = statement_spans(R"({
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": "*",
      "Resource": "*"
    }
  ]
})");
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].begin, (Place{3, 17}));
  EXPECT_EQ(listed[0].end, (Place{8, 6}));
}

TEST(Explain, KeysOfConditionsAndVariables) {
  EXPECT_EQ(context_keys(R"({"Version":"2012-10-17","Statement":[
      {"Effect":"Allow","Action":"s3:*","Resource":["arn:aws:s3:::b/${aws:username}/${*}/x"],
       "Condition":{"StringLike":{"s3:prefix":["${aws:PrincipalTag/team, 'a:b'}","x"],
                                  "S3:Prefix":"y"},
                    "Bool":{"aws:SecureTransport":true}}},
      {"Effect":"Deny","Action":"s3:*","NotResource":"arn:aws:s3:::${AWS:UserName}"}]})"),
            (List{"aws:username", "s3:prefix", "aws:PrincipalTag/team", "aws:SecureTransport"}));
  // The first version has no variables.
  EXPECT_EQ(context_keys(R"({"Statement":{"Effect":"Allow","Action":"s3:*",
      "Resource":"arn:aws:s3:::b/${aws:username}"}})"),
            List{});
}

}  // namespace
}  // namespace outcrop::policy::test
