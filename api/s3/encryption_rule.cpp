#include "api/s3/encryption_rule.h"

#include <optional>

#include "api/s3/headers.h"
#include "api/s3/xml_document.h"
#include "api/s3/xml_out.h"

namespace outcrop::s3 {
namespace {

constexpr std::size_t kMaxNamedKey = 2048;  ///< an ARN; AWS's figure

std::unexpected<S3Error> malformed() { return fail(Code::malformed_xml); }

Outcome<bool> bool_of(const pugi::xml_node& node) {
  S3_TRY(const std::string text, xml::text_of(node));
  const bool yes = same_text(text, "true");
  return yes || same_text(text, "false") ? Outcome<bool>(yes) : malformed();
}

Outcome<keys::Mode> mode_of(const pugi::xml_node& node) {
  S3_TRY(const std::string text, xml::text_of(node));
  if (text == "AES256") {
    return keys::Mode::managed;
  }
  if (text == "aws:kms") {
    return keys::Mode::kms;
  }
  return text == "aws:kms:dsse" ? Outcome<keys::Mode>(unsupported("SSEAlgorithm: aws:kms:dsse"))
                                : malformed();
}

Outcome<std::string> key_of(const pugi::xml_node& node) {
  S3_TRY(std::string text, xml::text_of(node));
  return text.empty() || text.size() > kMaxNamedKey ? Outcome<std::string>(malformed())
                                                    : std::move(text);
}

struct Fields {
  std::optional<keys::Mode> mode;
  std::optional<std::string> key;
  std::optional<bool> bucket_key, applies;
};

Outcome<> read_default(const pugi::xml_node& node, Fields& out) {
  return xml::for_each_child(node, [&](std::string_view name, const pugi::xml_node& field) {
    return name == "SSEAlgorithm"     ? xml::set_once(out.mode, mode_of(field))
           : name == "KMSMasterKeyID" ? xml::set_once(out.key, key_of(field))
                                      : Outcome<>(malformed());
  });
}

Outcome<> read_rule(const pugi::xml_node& rule, Fields& out) {
  return xml::for_each_child(rule,
                             [&](std::string_view name, const pugi::xml_node& field) -> Outcome<> {
                               if (name == "BucketKeyEnabled") {
                                 return xml::set_once(out.bucket_key, bool_of(field));
                               }
                               if (name == "BlockedEncryptionTypes") {
                                 return unsupported(name);
                               }
                               if (name != "ApplyServerSideEncryptionByDefault") {
                                 return malformed();
                               }
                               S3_TRYV(xml::set_once(out.applies, Outcome<bool>(true)));
                               return read_default(field, out);
                             });
}

}  // namespace

Outcome<EncryptionRule> parse_encryption(std::string text) {
  xml::Document document(std::move(text));
  S3_TRY(const pugi::xml_node root, document.parse("ServerSideEncryptionConfiguration"));
  Fields fields;
  std::size_t rules = 0;
  S3_TRYV(xml::for_each_child(root, [&](std::string_view name, const pugi::xml_node& rule) {
    return name != "Rule" || ++rules > 1 ? Outcome<>(malformed()) : read_rule(rule, fields);
  }));
  if (!fields.mode) {
    return malformed();
  }
  if (fields.key && fields.mode != keys::Mode::kms) {
    return fail(Code::invalid_argument,
                "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or "
                "aws:kms:dsse");
  }
  return EncryptionRule{*fields.mode, std::move(fields.key).value_or(""),
                        fields.bucket_key.value_or(false)};
}

std::string encryption_document(const EncryptionRule& rule) {
  XmlWriter xml("ServerSideEncryptionConfiguration");
  xml.open("Rule").open("ApplyServerSideEncryptionByDefault");
  xml.text("SSEAlgorithm", rule.mode == keys::Mode::kms ? "aws:kms" : "AES256");
  if (!rule.key.empty()) {
    xml.text("KMSMasterKeyID", rule.key);
  }
  xml.close().flag("BucketKeyEnabled", rule.bucket_key).close();
  return std::move(xml).take();
}

}  // namespace outcrop::s3
