"""The console in the browser and the JSON API: pages, sign-in and words, served by FastAPI and NiceGUI."""
