// Lists in forms, as botocore and others write them: NAME.member.1=..., and, of structures,
// NAME.member.1.FIELD=.... Pure.
#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "api/iam/form.h"
#include "auth/identity/tags.h"

namespace outcrop::iam {

/// In the order of their numbers. ValidationError: one that is not numbered.
identity::Checked<std::vector<std::string>> list_of(const Form& form, std::string_view name);

/// One structure: its fields by name, what is a list in it by "FIELD.member.N".
using Structure = std::map<std::string, std::string, std::less<>>;
/// In the order of their numbers. ValidationError: one that is not numbered, or has another field
/// than `fields` names (with a blank between them; one that ends in a point is a list).
identity::Checked<std::vector<Structure>> structures_of(const Form& form,
                                                        std::string_view name,
                                                        std::string_view fields);

/// Tags.member.N.Key and .Value, checked as make_tags() does.
identity::Checked<identity::Tags> tags_of(const Form& form);

/// Whether one of the words of the text, which have a blank between them, is that one.
bool has_word(std::string_view words, std::string_view word);

}  // namespace outcrop::iam
