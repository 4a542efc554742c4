// Swagger UI for the document that the page names.

const page = document.getElementById("swagger-ui");

SwaggerUIBundle({
  url: page.dataset.document,
  domNode: page,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  tryItOutEnabled: true,
  // It would send the document's address to somebody else.
  validatorUrl: null,
});
