#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "svi/data/corpus.hpp"

namespace svi::data {

/// The files of an import of word counts.
///
/// What every import_… below does: reads `input`, plain or gzip where it is text, and writes `output` as it
/// goes, in constant memory but for names and row starts (8 bytes a document). Counts are whole numbers up to
/// 2^24, zeros are left out, words of a document sorted, and one that it names twice is refused. Without
/// `document_ids` documents are named by their row, counted from 0, unless the format names them.
/// @throws Error (missing_input); (bad_data) naming file and line, or the place in HDF5, what was found and
/// what is expected; (cannot_write). The output is then as it was. **Local.**
struct CountFiles {
  std::string input;
  std::string output;
  std::string vocabulary;         ///< a word a line; empty: the words are named as the format does
  std::string document_ids;       ///< an id a line; empty: see above
  std::int64_t names_column = 0;  ///< of lines with tabs in both files, from 1; 0: the whole line
  /// Of an input that is not sorted by document: it is read once for each so many (16 bytes an entry).
  std::int64_t entries_in_memory = std::int64_t{1} << 24;
};

/// UCI's bag of words (Newman 2008): `docword.txt` with the header D, W, NNZ and NNZ lines "document word
/// count", both numbered from 1, in any order; one that is not sorted by document is read several times.
/// Documents without a line stay as empty rows. Without a vocabulary words are named by their number.
CountsSummary import_uci(const CountFiles& files);

/// Matrix Market's coordinate format (Boisvert, Pozo, Remington 1996), field integer or real, symmetry
/// general, in any order; a row is a document.
/// @param is_transposed a column is a document, as in 10x's matrix.mtx
CountsSummary import_mtx(const CountFiles& files, bool is_transposed);

/// LDA-C's format (Blei 2003): a document a line, "M word:count …" with M pairs, words numbered from 0.
/// Without a vocabulary V is the highest number + 1.
CountsSummary import_lda_c(const CountFiles& files);

/// svmlight's format (Joachims 1999): a document a line, "label [qid:N] word:count … [# comment]", words
/// numbered from 1; label and qid are left out, lines without any of this skipped.
/// @param is_zero_based words are numbered from 0
CountsSummary import_svmlight(const CountFiles& files, bool is_zero_based);

/// Vowpal Wabbit's text format: a document a line, "[label [importance]] ['tag]|[namespace] word[:count] …".
///
/// A word without a count counts once, counts of a repeated word add up, a tag is the document's id. Without
/// a vocabulary the file is read twice, and its words are in alphabetical order, or by number where all are.
/// @param name_space only the words after `|name_space`; empty: all words, whatever their namespace
CountsSummary import_vw(const CountFiles& files, const std::string& name_space);

/// How 10x's files name genes.
struct TenxOptions {
  std::string names = "name";  ///< "name" (symbols, which may repeat) or "id"
  std::string genome;          ///< group of a file of CellRanger 2; empty: its only one
};

/// 10x Genomics' HDF5 matrix of CellRanger 3 (`/matrix`) or 2 (a group a genome): a barcode is a document, a
/// feature is a word.
CountsSummary import_10x(const CountFiles& files, const TenxOptions& options);

/// AnnData's `.h5ad`: the counts of `X` or of a layer, by rows, by columns or dense, with the names of `obs`
/// and `var`.
/// @param layer empty: X
CountsSummary import_h5ad(const CountFiles& files, const std::string& layer);

}  // namespace svi::data
