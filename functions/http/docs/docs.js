// @ts-check
// Runs in the browser, as it is.

window.addEventListener('DOMContentLoaded', () => {
  SwaggerUIBundle({
    url: '/v1/openapi.json',
    dom_id: '#reference',
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    // The schema says more than an example that is made from it.
    defaultModelRendering: 'model',
    // The fields, and what they mean.
    defaultModelExpandDepth: 2,
    docExpansion: 'list',
    filter: true,
    // By default, the document of an API on the web is sent to validator.swagger.io.
    validatorUrl: null,
  });
});
