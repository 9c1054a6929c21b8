#pragma once

#include <string>

#include "topic_documents.hpp"

namespace svi::cli {

/// What LDAvis shows of a model (Sievert, Shirley 2014), as the JSON that `pyLDAvis.PreparedData.to_json`
/// gives and R's `LDAvis::serVis` takes: the same figures by the same formulas, among them two that differ
/// from the paper: saliency normalises β by word without the topics' shares, and the Jensen-Shannon
/// divergence itself is the distance.
/// @param documents whose lengths and topics weigh the topics; all are fitted
std::string ldavis_json(const trainer::TrainedModel& trained, TopicDocuments& documents);

/// A page that shows such JSON. It loads d3 and LDAvis' script and style sheet from where pyLDAvis' own pages
/// load them, so it needs the network when looked at.
std::string ldavis_page(const std::string& json, const std::string& title);

/// Writes what gensim's `LdaModel.load(path)` reads: `path`, `path.state`, `path.id2word` and two arrays in
/// .npy, each atomic, `path` last. λ, α, η, tolerance and vocabulary are the model's, in float32.
/// @throws Error (usage) for a name that gensim would take for a compressed file, (bad_data) when a word
/// stands twice in the vocabulary, (cannot_write)
void export_gensim(trainer::TrainedModel& trained, const std::string& path);

}  // namespace svi::cli
