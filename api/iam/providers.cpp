// Identity providers over the wire. Their keys are fetched in the background, so a provider is
// there whether its server answers or not.
#include <algorithm>

#include "api/iam/answer.h"
#include "api/iam/lists.h"

namespace outcrop::iam {
namespace {

using identity::Checked;

/// Each once.
Checked<std::vector<std::string>> set_of(const Form& form, std::string_view name) {
  auto all = list_of(form, name);
  if (!all) {
    return all;
  }
  std::vector<std::string> out;
  for (std::string& one : *all) {
    if (std::ranges::count(out, one) == 0) {
      out.push_back(std::move(one));
    }
  }
  return out;
}

std::string named_arn(const Call& call) { return call.form.get("OpenIDConnectProviderArn"); }

void write_list(s3::XmlWriter& xml,
                std::string_view element,
                const std::vector<std::string>& values) {
  xml.open(element);
  for (const std::string& value : values) {
    xml.text("member", value);
  }
  xml.close();
}

}  // namespace

Answer create_provider(Call& call) {
  auto clients = set_of(call.form, "ClientIDList");
  auto thumbprints = set_of(call.form, "ThumbprintList");
  if (!clients || !thumbprints) {
    co_return std::unexpected(clients ? thumbprints.error() : clients.error());
  }
  auto tags = tags_of(call.form);
  if (!tags) {
    co_return std::unexpected(std::move(tags).error());
  }
  identity::Provider wanted;
  wanted.tags = identity::keep_tags(*std::move(tags));
  wanted.url = call.form.get("Url");
  wanted.client_ids = *std::move(clients);
  wanted.thumbprints = *std::move(thumbprints);
  const auto made = co_await call.store.create_provider(std::move(wanted));
  if (!made) {
    co_return std::unexpected(made.error());
  }
  call.xml.text("OpenIDConnectProviderArn", (*made)->arn());
  write_tags(call.xml, (*made)->tags);
  co_return Checked<>{};
}

Answer get_provider(Call& call) {
  const auto found = named_provider(call);
  if (!found) {
    co_return std::unexpected(found.error());
  }
  call.xml.text("Url", (*found)->name());  // AWS leaves the scheme out, too
  call.xml.text("CreateDate", date_text((*found)->created_ns));
  write_list(call.xml, "ClientIDList", (*found)->client_ids);
  write_list(call.xml, "ThumbprintList", (*found)->thumbprints);
  write_tags(call.xml, (*found)->tags);
  co_return Checked<>{};
}

Answer list_providers(Call& call) {
  call.xml.open("OpenIDConnectProviderList");
  for (const auto& [name, provider] : call.state->providers) {
    call.xml.open("member").text("Arn", provider->arn()).close();
  }
  call.xml.close();
  co_return Checked<>{};
}

Answer delete_provider(Call& call) {
  co_return co_await call.store.remove_provider(named_arn(call));
}

Answer add_client_id(Call& call) {
  const std::string id = call.form.get("ClientID");
  co_return co_await call.store.edit_provider(named_arn(call), [id](identity::Provider& provider) {
    if (std::ranges::count(provider.client_ids, id) == 0) {
      provider.client_ids.push_back(id);
    }
  });
}

Answer remove_client_id(Call& call) {
  const std::string id = call.form.get("ClientID");
  co_return co_await call.store.edit_provider(
      named_arn(call), [id](identity::Provider& provider) { std::erase(provider.client_ids, id); });
}

Answer update_thumbprints(Call& call) {
  const auto thumbprints = set_of(call.form, "ThumbprintList");
  if (!thumbprints) {
    co_return std::unexpected(thumbprints.error());
  }
  co_return co_await call.store.edit_provider(
      named_arn(call),
      [&thumbprints](identity::Provider& provider) { provider.thumbprints = *thumbprints; });
}

}  // namespace outcrop::iam
