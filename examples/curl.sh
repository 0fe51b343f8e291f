#!/usr/bin/env bash
# The API by curl: predictions, a fan-out, a profile that is learnt, learnt again, and rolled back.
# Start the service first: npm start. XPEFT_URL names another service, and XPEFT_KEY a key of it.
set -euo pipefail

url=${XPEFT_URL:-http://localhost:8787}
key=${XPEFT_KEY:-$(npm run -s xpeft -- keys create --name curl --scope predict learn write)}

# --fail-with-body ends the script on an error, after its code and hint.
curl=(curl -sS --fail-with-body -H "authorization: Bearer $key" -H "content-type: application/json")

# Prints events: the progress of learning, and its result. force writes the profile even if it exists and nothing is gained.
learn() {
  "${curl[@]}" -N "$url/v1/profiles/inbox/curl/learn" -d "{\"force\": true, \"examples\": $1}"
}

# no-cache reads the profile as it was just written. Other predictions may use the one before for 30 seconds.
predict() {
  "${curl[@]}" -H "cache-control: no-cache" "$url/v1/predict" \
    -d '{"task": "inbox", "profile": "curl", "inputs": ["Your electricity bill is attached"]}'
}

echo "# One message under the profiles of two people"
"${curl[@]}" "$url/v1/predict" -d '{"task": "inbox", "inputs": [
  {"profile": "person-000", "text": "Your electricity bill is attached"},
  {"profile": "person-001", "text": "Your electricity bill is attached"}]}'

printf '\n\n# One message under many profiles: JSON Lines, the counts last\n'
"${curl[@]}" -N "$url/v1/fanout" -d '{"task": "inbox", "text": "Your electricity bill is attached",
  "profiles": ["person-000", "person-001", "person-002", "person-003"]}'

printf '\n# Learn the profile "curl": bills go to the archive\n'
learn '[
  {"text": "The invoice of the electrician", "label": "archive"},
  {"text": "A reminder for the unpaid rent", "label": "archive"},
  {"text": "The receipt for the train tickets", "label": "archive"},
  {"text": "The printer server is down", "label": "now"},
  {"text": "Errors on the order page", "label": "now"},
  {"text": "The nightly build is broken again", "label": "now"},
  {"text": "Can you fetch the children today?", "label": "later"},
  {"text": "Photos of the christening", "label": "later"},
  {"text": "Lunch at your parents", "label": "later"}]'
generation=$("${curl[@]}" "$url/v1/profiles/inbox/curl" | grep -o '"generation":[0-9]*' | cut -d: -f2)
predict

printf '\n\n# Learn it anew: bills are urgent\n'
learn '[
  {"text": "The invoice of the electrician", "label": "now"},
  {"text": "A reminder for the unpaid rent", "label": "now"},
  {"text": "The receipt for the train tickets", "label": "now"},
  {"text": "The printer server is down", "label": "archive"},
  {"text": "Errors on the order page", "label": "archive"},
  {"text": "The nightly build is broken again", "label": "archive"}]'
predict

printf '\n\n# Roll back to what was learnt first\n'
"${curl[@]}" "$url/v1/profiles/inbox/curl/rollback" -d "{\"generation\": $generation}"
echo
predict
echo
