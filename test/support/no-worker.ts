/** What stands in for the Worker where its parts are tested one by one: so no test file has to wait until all is loaded. */
export default {};
