#include "api/iam/form_context.h"

#include "auth/policy/pattern.h"

namespace outcrop::iam {

using policy::Key;

FormContext::FormContext(const policy::Context& request, const Form& form, About about)
    : x_request(request), x_form(form), x_about(std::move(about)) {
  constexpr std::string_view kTags = "Tags.member.", kKey = ".Key";
  for (const auto& [name, value] : form.parameters()) {
    if (name.starts_with(kTags) && name.ends_with(kKey)) {
      const std::string stem = name.substr(0, name.size() - kKey.size());
      x_tags.emplace_back(value, form.find(stem + ".Value").value_or(""));
      x_tag_keys.emplace_back(value);
    } else if (name.starts_with("TagKeys.member.")) {
      x_tag_keys.emplace_back(value);
    } else if (name.starts_with("TransitiveTagKeys.member.")) {
      x_transitive.emplace_back(value);
    }
  }
}

void FormContext::values(const policy::KeyName& key, policy::Values& out) const {
  const auto add_parameter = [&](std::string_view name) {
    if (const auto value = x_form.find(name)) {
      out.add(*value);
    }
  };
  const auto add_all = [&](const std::vector<std::string_view>& texts) {
    for (const std::string_view text : texts) {
      out.add(text);
    }
  };
  switch (key.key) {
    case Key::external_id:
      return add_parameter("ExternalId");
    case Key::role_session_name:
      return add_parameter("RoleSessionName");
    case Key::tag_keys:
      return add_all(x_tag_keys);
    case Key::transitive_tag_keys:
      return add_all(x_transitive);
    case Key::request_tag:
      for (const auto& [name, value] : x_tags) {
        if (policy::same_text(name, key.suffix)) {
          out.add(value);
        }
      }
      return;
    case Key::resource_tag:
      if (const std::string* const tag = identity::find_tag(x_about.tags, key.suffix)) {
        out.add(*tag);
      }
      return;
    default:
      return x_request.values(key, out);
  }
}

}  // namespace outcrop::iam
